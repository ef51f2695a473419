/**
 * Keeps one backup within the `quota` and `max_entries` of its host, measured on the server's disk while data arrives,
 * whatever the host says. Measuring takes as long as `find` takes for a snapshot, so it is done only where what the rsyncs
 * have written could reach the quota, and seldom otherwise.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { judgeEntries, judgeGrowth, mostAdded } from '../core/quota.js';
import type { StartRsync } from './confinement.js';
import { roomOf } from './disk.js';
import { measureUsage } from './disk-usage.js';
import { measureWithout, noteUse, type Use } from './host-quota.js';
import type { LocalProcess } from './process.js';
import type { RsyncEvent } from './rsync-output.js';
import { WriteMeter } from './written.js';

const lookEveryMs = 500;
/** A measurement may take this share of the time where the quota is near, and that one where it is not. */
const shareNear = 0.25;
const shareFar = 0.02;
/** What comes in meanwhile, at the speed of the network, may be above the quota. */
const longestPauseNearMs = 15_000;
/** What nobody suspects is measured after so long at the earliest. */
const unsuspectedMs = 10 * 60_000;

const blockBytes = 4096;

export class QuotaWatch {
  private readonly exceeded = new AbortController();
  private readonly stopped = new AbortController();
  private readonly meter = new WriteMeter();
  private readonly timer: NodeJS.Timeout;
  /** What was measured, and what was written and how many inodes were free by then. */
  private measured = { added: 0, written: 0, freeInodes: 0, atMs: performance.now(), tookMs: 0 };
  private looking: Promise<void> | null = null;
  private items = 0;
  /** The most that was there when all was copied. */
  private settled: number | null = null;
  private readonly listed = new Map<number, number>();

  /** `used`: what the host takes up without this backup. */
  constructor(
    private readonly host: Host,
    private used: Use,
    private readonly partial: string,
    freeInodes: number,
  ) {
    this.measured.freeInodes = freeInodes;
    this.timer = setInterval(() => this.look(), lookEveryMs);
  }

  /** Aborted, with the error as its reason, when the backup must end. */
  get signal(): AbortSignal {
    return this.exceeded.signal;
  }

  /** Counts what the rsyncs write that are started so. */
  watching(start: StartRsync): StartRsync {
    const watched = async (...call: Parameters<StartRsync>): Promise<LocalProcess> => {
      const rsync = await start(...call);
      if (rsync.pid !== null) this.meter.add(rsync.pid, rsync.ended);
      return rsync;
    };
    return Object.assign(watched, { seenFromOutside: start.seenFromOutside });
  }

  /** Takes what rsync said in a job: a host that sends names for ever is noticed before anything is measured. */
  hear(jobNumber: number, event: RsyncEvent): void {
    if (event.kind === 'item') this.end(judgeEntries(this.host, ++this.items));
    if (event.kind !== 'checked') return;
    this.listed.set(jobNumber, event.total);
    const listed = [...this.listed.values()].reduce((sum, total) => sum + total, 0);
    this.end(judgeEntries(this.host, listed));
  }

  /** All is copied: why it must not be committed, or null. Nothing is watched any more. */
  async settle(): Promise<BusyError | null> {
    clearInterval(this.timer);
    await this.looking;
    if (this.signal.aborted) return this.signal.reason as BusyError;
    if (this.host.quotaBytes > 0) {
      this.settled = await this.mostAdded();
      if (judgeGrowth(this.host, this.used.bytes, this.settled)) {
        if (await this.measure()) this.settled = this.measured.added;
      }
    }
    return this.signal.aborted ? (this.signal.reason as BusyError) : null;
  }

  /** Ends the watch. `kept` is where what was copied is now; null: it is not kept. */
  async close(kept: string | null): Promise<void> {
    clearInterval(this.timer);
    this.stopped.abort();
    await this.looking;
    if (this.host.quotaBytes === 0) return;
    const added = kept === null ? 0 : (this.settled ?? (await this.mostAdded())) + (await sizeOfNotes(kept));
    if (Number.isFinite(added)) await noteUse(join(this.partial, '..'), this.used.bytes + added);
  }

  private look(): void {
    this.looking ??= this.lookNow()
      .catch(() => {})
      .finally(() => (this.looking = null));
  }

  private async lookNow(): Promise<void> {
    const { quotaBytes, maxEntries } = this.host;
    if (this.signal.aborted || (quotaBytes === 0 && maxEntries === 0)) return;
    const isNear = quotaBytes > 0 && judgeGrowth(this.host, this.used.bytes, await this.mostAdded()) !== null;
    const pauseMs = isNear
      ? Math.min(longestPauseNearMs, this.measured.tookMs / shareNear)
      : Math.max(unsuspectedMs, this.measured.tookMs / shareFar);
    if (performance.now() - this.measured.atMs >= pauseMs) await this.measure();
  }

  /** Answers whether it could be. */
  private async measure(): Promise<boolean> {
    const startedMs = performance.now();
    // Before it: what is written meanwhile counts twice rather than not at all.
    const [written, freeInodes] = [await this.written(), await freeInodesOf(this.partial)];
    let entries = 0;
    const count = (met: number): void => {
      entries = met;
    };
    const usage = await measureUsage([this.partial], count, this.stopped.signal).catch(() => null);
    const atMs = performance.now();
    const tookMs = atMs - startedMs;
    if (!usage) {
      this.measured = { ...this.measured, atMs, tookMs };
      return false;
    }
    const added = usage.own.bytes;
    this.measured = { added, written, freeInodes, atMs, tookMs };
    this.end(judgeEntries(this.host, entries));
    if (this.host.quotaBytes === 0) return true;
    if (judgeGrowth(this.host, this.used.bytes, added)) await this.measureUsed();
    this.end(judgeGrowth(this.host, this.used.bytes, added));
    return true;
  }

  /** What was noted is never less than what there is, but may be more: snapshots were removed since. */
  private async measureUsed(): Promise<void> {
    if (this.used.isMeasured) return;
    const bytes = await measureWithout(this.partial, this.stopped.signal).catch(() => null);
    if (bytes !== null) this.used = { bytes, isMeasured: true };
  }

  /** Infinite, or no number, where the system does not say what was written: then it is measured. */
  private async mostAdded(): Promise<number> {
    const { added, written, freeInodes } = this.measured;
    const since = { bytes: (await this.written()) - written, calls: 0 };
    return added + mostAdded(since, freeInodes - (await freeInodesOf(this.partial)));
  }

  private async written(): Promise<number> {
    return mostAdded(await this.meter.total(), 0);
  }

  private end(error: BusyError | null): void {
    if (error && !this.signal.aborted) this.exceeded.abort(error);
  }
}

export async function freeInodesOf(directory: string): Promise<number> {
  return (await roomOf(directory))?.free.inodes ?? 0;
}

/** What is written once all is copied. */
async function sizeOfNotes(snapshot: string): Promise<number> {
  let bytes = 0;
  for (const name of ['manifest.gz', 'backup.log', 'snapshot.json'])
    bytes += await stat(join(snapshot, name)).then(
      ({ size }) => Math.ceil(size / blockBytes) * blockBytes,
      () => 0,
    );
  return bytes;
}
