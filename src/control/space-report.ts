/** Measures what the backups of hosts take up, one measurement at a time: each keeps a disk busy for minutes. */
import { Mutex } from 'async-mutex';
import type { Host } from '../core/host.js';
import type { Executor, MeasureProgress } from '../core/executor-port.js';
import type { SnapshotDisk, SpaceDisk } from '../core/ports.js';
import type { SnapshotRecord } from '../core/snapshot.js';
import type { DiskRoom, DiskUsage } from '../core/space.js';
import type { Catalog } from './catalog.js';

export interface SpaceReportParts {
  readonly catalog: Pick<Catalog, 'hosts' | 'host' | 'snapshots'>;
  readonly executor: Pick<Executor, 'measure'>;
  readonly disk: SpaceDisk & Pick<SnapshotDisk, 'locate'>;
}

/** What the backups of a host take up. */
export interface HostSpace {
  readonly host: string;
  readonly backupdir: string;
  /** Newest first; those that are on the disk. */
  readonly snapshots: readonly { readonly snapshot: SnapshotRecord; readonly usage: DiskUsage }[];
  /** Of all together; of which of unfinished backups, of what is being removed, and of what is in the trash. */
  readonly totalBytes: number;
  readonly unfinishedBytes: number;
  readonly removedBytes: number;
  readonly trashBytes: number;
  /** Null where the disk cannot be read. */
  readonly room: DiskRoom | null;
}

export interface SpaceProgress {
  /** Empty while another measurement has to end first. */
  readonly host: string;
  readonly snapshotsDone: number;
  readonly snapshotCount: number;
  readonly entries: number;
}

export type SpaceStep = { readonly progress: SpaceProgress } | { readonly result: HostSpace };

export class SpaceReporter {
  private readonly turn = new Mutex();

  constructor(private readonly parts: SpaceReportParts) {}

  /**
   * Measures one host, or all that are seen, and tells how far it is. Ends when `signal` is aborted. Throws HOST_NOT_FOUND,
   * EXECUTOR_DIED or BACKUPDIR_UNUSABLE.
   */
  async *measure(
    name: string | null,
    signal: AbortSignal,
    isSeen: (host: string) => boolean = () => true,
  ): AsyncGenerator<SpaceStep> {
    const all = name === null ? this.parts.catalog.hosts() : [this.parts.catalog.host(name)];
    const hosts = all.filter((host) => isSeen(host.name));
    if (this.turn.isLocked())
      yield { progress: { host: '', snapshotsDone: 0, snapshotCount: 0, entries: 0 } };
    const release = await this.turn.acquire();
    try {
      for (const host of hosts) {
        if (signal.aborted) return;
        yield* this.measureHost(host, signal);
      }
    } catch (error) {
      // The executor says so; nobody is left to hear it.
      if (!signal.aborted) throw error;
    } finally {
      release();
    }
  }

  private async *measureHost(host: Host, signal: AbortSignal): AsyncGenerator<SpaceStep> {
    const { catalog, disk, executor } = this.parts;
    const known = catalog.hosts().some(({ name }) => name === host.name) ? catalog.snapshots(host.name) : [];
    const places = await disk.locate(known);
    const snapshots = known.filter((snapshot) => places.get(snapshot) === 'present');
    const { unfinished, removed, trashed } = await disk.leftovers(host);
    const groups = [...snapshots.map(({ path }) => [path]), unfinished, removed, trashed].filter(
      ({ length }) => length > 0,
    );
    const news = new Latest<MeasureProgress>();
    const stop = new AbortController();
    const work = executor.measure(
      groups,
      (progress) => news.set(progress),
      AbortSignal.any([signal, stop.signal]),
    );
    work.catch(() => {}).finally(() => news.end());
    try {
      for await (const { groupsDone, entries } of news) {
        const snapshotsDone = Math.min(groupsDone, snapshots.length);
        yield { progress: { host: host.name, snapshotsDone, snapshotCount: snapshots.length, entries } };
      }
    } finally {
      stop.abort();
    }
    const usages = await work;
    const rest = usages.slice(snapshots.length);
    const [unfinishedBytes, removedBytes, trashBytes] = [unfinished, removed, trashed].map((group) =>
      Math.round((group.length > 0 ? rest.shift() : null)?.sharedBytes ?? 0),
    ) as [number, number, number];
    const measured = snapshots.flatMap((snapshot, index) => {
      const usage = usages[index];
      return usage ? [{ snapshot, usage }] : [];
    });
    const ofSnapshots = measured.reduce((sum, { usage }) => sum + usage.sharedBytes, 0);
    yield {
      result: {
        host: host.name,
        backupdir: host.backupdir,
        snapshots: measured,
        totalBytes: Math.round(ofSnapshots) + unfinishedBytes + removedBytes + trashBytes,
        unfinishedBytes,
        removedBytes,
        trashBytes,
        room: await disk.roomOf(host.backupdir),
      },
    };
  }
}

/** Hands on the latest value, and none twice, until it has ended. */
class Latest<T> {
  private value: T | null = null;
  private hasEnded = false;
  private wake = (): void => {};

  set(value: T): void {
    this.value = value;
    this.wake();
  }

  end(): void {
    this.hasEnded = true;
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const { value } = this;
      this.value = null;
      if (value !== null) yield value;
      else if (this.hasEnded) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}
