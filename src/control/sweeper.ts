/**
 * Frees the space of what was taken out of the store, in the background: one directory after the other on each disk,
 * while a disk that hangs delays no other. What cannot be freed since the database is away is tried again.
 */
import { toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { SnapshotDisk } from '../core/ports.js';
import type { SnapshotRecord } from '../core/snapshot.js';
import type { Catalog } from './catalog.js';
import type { HostHold } from './host-claims.js';

/** Something that lies, or lay, in the directory of a host. */
export type Beside = Pick<SnapshotRecord, 'path'>;

export interface SweeperParts {
  readonly catalog: Pick<Catalog, 'settled'>;
  readonly disk: Pick<SnapshotDisk, 'sweepBeside'>;
  /** Which hosts are this daemon's: nothing is removed of any other. */
  readonly hold: Pick<HostHold, 'isOurs'>;
  readonly log: { warn(message: string, fields: Readonly<Record<string, unknown>>): void };
}

const againMs = 30_000;

export class Sweeper {
  /** What goes on, by the backup directory. */
  private readonly sweeping = new Map<string, Promise<void>>();
  /** Hosts whose directories are tried again, and when. */
  private readonly again = new Map<string, NodeJS.Timeout>();
  private readonly stopping = new AbortController();

  constructor(private readonly parts: SweeperParts) {}

  /** Frees the space of all that was taken out beside this in the directory of the host. */
  sweep(host: Host, beside: Beside): void {
    if (!this.parts.hold.isOurs(host.name)) return;
    this.sweeping.set(host.backupdir, this.sweepAfter(this.quiet(host), host, beside));
  }

  /** Settles when nothing is being freed on the disk of a host. */
  async quiet({ backupdir }: Pick<Host, 'backupdir'>): Promise<void> {
    await this.sweeping.get(backupdir);
  }

  /** Settles when nothing is being freed any more; what is left is left for the next start. */
  async stop(): Promise<void> {
    this.stopping.abort();
    for (const timer of this.again.values()) clearTimeout(timer);
    await Promise.all(this.sweeping.values());
  }

  private async sweepAfter(before: Promise<void>, host: Host, beside: Beside): Promise<void> {
    await before;
    const { catalog, disk, log } = this.parts;
    const { signal } = this.stopping;
    if (signal.aborted) return;
    // Not before the database has forgotten what is swept: by what is left the next start knows that it was removed.
    const away = await catalog.settled().then(() => null, toBusyError);
    if ((away === null && (await disk.sweepBeside(beside, signal))) || signal.aborted) return;
    const { name, backupdir } = host;
    const isKnown = this.again.has(name);
    if (away) this.tryAgain(host, beside);
    if (isKnown) return;
    const message = `the space of removed snapshots could not be freed; it is tried again ${away ? 'soon' : 'with the next'}`;
    log.warn(message, { host: name, backupdir, ...(away && { why: away.message }) });
  }

  private tryAgain(host: Host, beside: Beside): void {
    clearTimeout(this.again.get(host.name));
    const timer = setTimeout(() => {
      this.sweep(host, beside);
      // Only now, so that it is said once that it did not succeed.
      void this.quiet(host).then(() => this.again.get(host.name) === timer && this.again.delete(host.name));
    }, againMs);
    this.again.set(host.name, timer);
  }
}
