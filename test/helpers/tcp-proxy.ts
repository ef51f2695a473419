/** A TCP proxy on 127.0.0.1 whose connections can be cut, stalled and refused: what a bad network does. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a new connection meets: it is carried, it is accepted and then nothing comes, or nobody listens. */
export type ProxyState = 'open' | 'silent' | 'refused';

/** Is asked about each chunk that came from the server; true: it goes on only in half, and then the connection is cut. */
type IsCutBy = (receivedBytes: number) => boolean;

export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private state: ProxyState = 'open';
  private stalled = false;
  private cutCount = 0;

  private constructor(
    private readonly targetPort: number,
    private readonly isCutBy: IsCutBy,
    private boundPort: number,
  ) {
    this.server = createServer((client) => this.accept(client));
  }

  /** Listens on a free port. */
  static async to(targetPort: number, isCutBy: IsCutBy = () => false): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort, isCutBy, 0);
    await proxy.listen();
    const address = proxy.server.address();
    if (typeof address === 'object' && address) proxy.boundPort = address.port;
    return proxy;
  }

  get port(): number {
    return this.boundPort;
  }

  /** How many connections `isCutBy` has cut. */
  get cuts(): number {
    return this.cutCount;
  }

  /** How many connections are carried now. */
  get connections(): number {
    return Math.ceil(this.sockets.size / 2);
  }

  /** What new connections meet from now on; those that there are go on. */
  async setState(state: ProxyState): Promise<void> {
    if ((state === 'refused') !== (this.state === 'refused')) {
      if (state === 'refused') this.server.close();
      else await this.listen();
    }
    this.state = state;
  }

  /** Resets every connection that there is; answers how many they were. */
  cut(): number {
    const { connections } = this;
    for (const socket of this.sockets) socket.resetAndDestroy();
    return connections;
  }

  /** Nothing passes any more, and nobody is told. */
  stall(): void {
    this.stalled = true;
    for (const socket of this.sockets) socket.pause();
  }

  goOn(): void {
    this.stalled = false;
    for (const socket of this.sockets) socket.resume();
  }

  async end(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    if (!this.server.listening) return;
    this.server.close();
    await once(this.server, 'close');
  }

  private async listen(): Promise<void> {
    this.server.listen(this.boundPort, '127.0.0.1');
    await once(this.server, 'listening');
  }

  private accept(client: Socket): void {
    this.hold(client, () => {});
    if (this.state === 'silent') return;
    const upstream = connect(this.targetPort, '127.0.0.1');
    this.hold(upstream, () => client.destroy());
    client.on('close', () => upstream.destroy());
    this.carry(client, upstream, () => false);
    let received = 0;
    this.carry(upstream, client, (chunk) => this.isCutBy((received += chunk.length)));
  }

  private hold(socket: Socket, onClose: () => void): void {
    this.sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      this.sockets.delete(socket);
      onClose();
    });
  }

  /** By hand and not by `pipe`, which would set a stalled connection going again. */
  private carry(from: Socket, to: Socket, isCutBy: (chunk: Buffer) => boolean): void {
    from.on('data', (chunk) => {
      if (isCutBy(chunk)) {
        this.cutCount += 1;
        to.write(chunk.subarray(0, Math.floor(chunk.length / 2)));
        to.resetAndDestroy();
        return;
      }
      if (!to.write(chunk)) from.pause();
      if (this.stalled) from.pause();
    });
    to.on('drain', () => {
      if (!this.stalled) from.resume();
    });
    from.on('end', () => to.end());
  }
}
