/** The endpoints of the server: opens them, hands what connects to the server of its kind, and closes them. */
import { type ConnectionInjector, type Server, ServerCredentials } from '@grpc/grpc-js';
import { formatEndpoint, type Endpoint } from '../core/endpoint.js';
import type { TlsSettings } from '../core/settings.js';
import { EndpointError, refuseInTheClear } from './endpoint.js';
import { listen, tcpLimits, unixLimits, type Listener, type ListenerOptions } from './listener.js';
import { TlsFiles, type TlsLog } from './tls-files.js';
import { bindUnixSocket } from './unix-socket.js';

export interface EndpointSettings {
  /** The group of the unix sockets, by name or number; empty: that of the daemon. */
  readonly socketGroup: string;
  /** Null: no endpoint may need it. */
  readonly tls: TlsSettings | null;
  readonly log: TlsLog;
}

/** One for each kind of endpoint: of a call alone nobody could tell for sure which way it came. */
type Servers = Readonly<Record<Endpoint['kind'], Server>>;

export class Endpoints {
  readonly #settings: EndpointSettings;
  readonly #injectors: Readonly<Record<Endpoint['kind'], ConnectionInjector>>;
  readonly #listeners: Listener[] = [];
  readonly #sockets: (() => Promise<void>)[] = [];
  #tls: TlsFiles | null = null;

  constructor(servers: Servers, settings: EndpointSettings) {
    this.#settings = settings;
    this.#injectors = { unix: injectorOf(servers.unix), tcp: injectorOf(servers.tcp) };
  }

  /** Answers the endpoint as it is bound, with the real port for port 0. Throws an EndpointError. */
  async listen(endpoint: Endpoint): Promise<string> {
    refuseInTheClear(endpoint);
    if (endpoint.kind === 'tcp') {
      const { host, port, isTls } = endpoint;
      const tls = isTls ? this.#tlsFiles(endpoint) : null;
      const bound = await this.#open(endpoint, { at: { host, port }, tls, limits: tcpLimits });
      return formatEndpoint({ ...endpoint, port: bound.port });
    }
    const remove = await bindUnixSocket(endpoint.path, this.#settings.socketGroup, async (path) => {
      await this.#open(endpoint, { at: { path }, tls: null, limits: unixLimits });
    });
    this.#sockets.push(remove);
    return formatEndpoint(endpoint);
  }

  /** Takes over files of TLS that have changed. */
  lookAgain(): void {
    this.#tls?.look();
  }

  /** Takes no more connections. */
  close(): void {
    this.#tls?.stop();
    for (const listener of this.#listeners.splice(0)) listener.close();
  }

  /** Removes the sockets from the file system. */
  async remove(): Promise<void> {
    for (const remove of this.#sockets.splice(0)) await remove();
  }

  async #open(endpoint: Endpoint, options: Omit<ListenerOptions, 'take'>): Promise<Listener> {
    const injector = this.#injectors[endpoint.kind];
    try {
      const take = injector.injectConnection.bind(injector);
      const listener = await listen({ ...options, take });
      this.#listeners.push(listener);
      return listener;
    } catch (error) {
      const what = error instanceof Error ? error.message : String(error);
      const message = `The daemon cannot listen on ${formatEndpoint(endpoint)}: ${what}. Stop what listens there, or choose another endpoint.`;
      throw new EndpointError(message, { cause: error });
    }
  }

  #tlsFiles(endpoint: Endpoint): TlsFiles {
    const { tls, log } = this.#settings;
    if (this.#tls) return this.#tls;
    if (!tls) {
      throw new EndpointError(
        `listen: "${formatEndpoint(endpoint)}" needs TLS: set tls with cert and key; busyd make-cert makes them for a start.`,
      );
    }
    this.#tls = new TlsFiles(tls, log);
    return this.#tls;
  }
}

/** TLS is done before, by the listener. */
function injectorOf(server: Server): ConnectionInjector {
  return server.createConnectionInjector(ServerCredentials.createInsecure());
}
