/**
 * Looks into snapshots and archives for callers: finds out which is meant, how many looks there may be at once, and
 * what ends them.
 */
import { Semaphore } from 'async-mutex';
import type { Browse, BrowseKind, BrowsePlaces, BrowseWorks, FoundSnapshot } from '../core/browse.js';
import { BusyError } from '../core/errors.js';
import { newestAsOf, parseSnapshotName } from '../core/snapshot.js';
import type { Catalog } from './catalog.js';
import type { HostHold } from './host-claims.js';

export interface BrowserParts {
  readonly catalog: Pick<Catalog, 'host' | 'snapshots'>;
  readonly hold: Pick<HostHold, 'refuseElsewhere'>;
  readonly places: BrowsePlaces;
  readonly browse: Browse;
}

/** The others wait: each of these keeps a disk and a processor busy, some for minutes. */
const quickAtOnce = 4;
const longAtOnce = 2;

interface OpenLook {
  readonly backupdir: string;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export class Browser {
  private readonly open = new Set<OpenLook>();
  private readonly quick = new Semaphore(quickAtOnce);
  private readonly long = new Semaphore(longAtOnce);

  constructor(private readonly parts: BrowserParts) {}

  /**
   * The snapshot of this name, or (empty) the newest, or the newest at or before `asOf`; where its files are in an
   * archive only, that one. Throws HOST_NOT_FOUND, SNAPSHOT_NOT_FOUND, NO_SNAPSHOT, or ARCHIVEDIR_UNUSABLE when its disk
   * does not answer.
   */
  async snapshot(hostName: string, name: string, asOf: Date | null = null): Promise<FoundSnapshot> {
    if (name !== '') return this.named(hostName, name);
    const all = await this.snapshots(hostName).catch((error: unknown) => {
      // The newest is never taken away for its archive, so an archive disk that hangs need not be asked.
      const present = asOf === null ? this.present(hostName) : [];
      if (present.length > 0) return present;
      throw error;
    });
    const newest = newestAsOf(
      all.map(({ record }) => record),
      asOf,
    );
    const found = all.find(({ record }) => record === newest);
    if (found) return found;
    throw new BusyError('NO_SNAPSHOT', { host: hostName, ...(asOf && { asOf: asOf.toISOString() }) });
  }

  /**
   * All of a host, newest first; one that is also an archive is looked at where it is faster. Throws HOST_NOT_FOUND, or
   * ARCHIVEDIR_UNUSABLE when its disk does not answer.
   */
  async snapshots(hostName: string): Promise<readonly FoundSnapshot[]> {
    const { catalog, places } = this.parts;
    const present = this.present(hostName);
    const names = new Set(present.map(({ record }) => record.name));
    const archives = await places.archivesOf(catalog.host(hostName));
    const archived = archives.filter(({ record }) => !names.has(record.name));
    return [...present, ...archived].sort((a, b) => (a.record.name < b.record.name ? 1 : -1));
  }

  private present(hostName: string): FoundSnapshot[] {
    const { catalog, places } = this.parts;
    return catalog.snapshots(hostName).map((record) => places.ofSnapshot(record));
  }

  /**
   * Looks at the disks of hosts. Ends soon after `signal`. Throws HOST_ELSEWHERE, BROWSING_STOPPED, and as
   * `core/browse.ts` says.
   */
  async *look<K extends BrowseKind>(
    kind: K,
    { hosts, task }: { readonly hosts: readonly string[]; readonly task: BrowseWorks[K]['task'] },
    signal: AbortSignal,
  ): AsyncGenerator<readonly BrowseWorks[K]['step'][]> {
    const { catalog, hold, browse } = this.parts;
    for (const host of hosts) hold.refuseElsewhere(host);
    const turn = kind === 'list' || kind === 'history' ? this.quick : this.long;
    const [, release] = await turn.acquire();
    const stop = new AbortController();
    const { ended, markEnded } = anEnd();
    const looks = hosts.map((host) => ({ backupdir: catalog.host(host).backupdir, stop, ended }));
    looks.forEach((look) => this.open.add(look));
    try {
      yield* browse(kind, task, AbortSignal.any([signal, stop.signal]));
    } catch (error) {
      throw stop.signal.aborted ? new BusyError('BROWSING_STOPPED', { host: hosts[0] ?? '' }) : error;
    } finally {
      looks.forEach((look) => this.open.delete(look));
      markEnded();
      release();
    }
  }

  /** Ends looks below a backup directory; settles when nothing of them works there any more. */
  async endBelow(backupdir: string): Promise<void> {
    const below = [...this.open].filter((look) => look.backupdir === backupdir);
    for (const { stop } of below) stop.abort();
    await Promise.all(below.map(({ ended }) => ended));
  }

  private async named(hostName: string, name: string): Promise<FoundSnapshot> {
    const { catalog, places } = this.parts;
    const record = catalog.snapshots(hostName).find((snapshot) => snapshot.name === name);
    if (record) return places.ofSnapshot(record);
    const isName = parseSnapshotName(name) !== null;
    const host = catalog.host(hostName);
    const archive = isName ? await places.archiveOf(host, name) : null;
    if (archive) return archive;
    throw new BusyError('SNAPSHOT_NOT_FOUND', { host: hostName, snapshot: name });
  }
}

function anEnd(): { readonly ended: Promise<void>; readonly markEnded: () => void } {
  let markEnded = nothing;
  const ended = new Promise<void>((resolve) => (markEnded = resolve));
  return { ended, markEnded };
}

function nothing(): void {}
