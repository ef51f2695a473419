/** The database of the fleet: a MariaDB of its own that comes and goes, or a file, which does not. */
import { databaseUrl, PrivateMariadb } from '../../helpers/private-mariadb.js';

export type DatabaseKind = 'mariadb' | 'sqlite';

export class FleetDatabase {
  /** When it went or came last, by performance.now(). */
  changedAtMs = -Infinity;
  private isThere = true;

  private constructor(
    private readonly server: PrivateMariadb | null,
    readonly url: string | null,
  ) {}

  static async start(kind: DatabaseKind): Promise<FleetDatabase> {
    if (kind === 'sqlite') return new FleetDatabase(null, null);
    const server = await PrivateMariadb.start();
    return new FleetDatabase(server, databaseUrl(await server.freshDatabase()));
  }

  /** Whether it can go away. */
  get isServer(): boolean {
    return this.server !== null;
  }

  get isUp(): boolean {
    return this.isThere;
  }

  async leave(how: 'politely' | 'by a crash'): Promise<void> {
    this.change(false);
    await (how === 'politely' ? this.server?.stop() : this.server?.kill());
  }

  async comeBack(): Promise<void> {
    await this.server?.restart();
    this.change(true);
  }

  freeze(): void {
    this.change(false);
    this.server?.freeze();
  }

  thaw(): void {
    this.server?.thaw();
    this.change(true);
  }

  async end(): Promise<void> {
    await this.server?.end();
  }

  private change(isThere: boolean): void {
    this.isThere = isThere;
    this.changedAtMs = performance.now();
  }
}
