/**
 * Removes the snapshots that no rule of `keep` names, and of held ones all but the newest: after each backup, once an hour, and on request. A snapshot is
 * first taken out of the store, then out of the records, and its space is freed in the background; so a crash at any
 * moment leaves whole snapshots only, and the next pass goes on. Judged is what is on the disk, not what the records
 * say: a snapshot that someone removed by hand must not stand for one that is there.
 */
import { Mutex } from 'async-mutex';
import { BusyError, toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { SnapshotDisk } from '../core/ports.js';
import { judgeSnapshots, type RetentionDecision, type Verdict } from '../core/retention.js';
import { isActive } from '../core/run.js';
import { isHeld, type SnapshotRecord } from '../core/snapshot.js';
import type { Audit } from './audit.js';
import type { Catalog } from './catalog.js';
import { archivesSnapshot } from './archive-run.js';
import type { HostHold } from './host-claims.js';
import type { RunEvents } from './run-events.js';
import { readsSnapshot } from './restore-run.js';
import type { RunLifecycle } from './run-lifecycle.js';
import { Sweeper, type Beside } from './sweeper.js';

export interface PrunerParts {
  readonly catalog: Pick<Catalog, 'hosts' | 'host' | 'snapshots' | 'forget' | 'settled'>;
  readonly lifecycle: Pick<RunLifecycle, 'failuresAgainstExpiry' | 'activeRuns'>;
  readonly events: Pick<RunEvents, 'watch'>;
  readonly disk: SnapshotDisk;
  /** Which hosts are this daemon's: nothing is removed of any other. */
  readonly hold: Pick<HostHold, 'isOurs' | 'require'>;
  /** Is told what was removed. */
  readonly audit: Pick<Audit, 'note'>;
  readonly log: PrunerLog;
}

/** The part of a logger that is needed here; the logger of winston fits. */
export interface PrunerLog {
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
  error(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface PruneOutcome extends RetentionDecision {
  readonly removedCount: number;
}

/** The removals on one backup directory: one after the other, and a disk that hangs delays no other. */
interface Disk {
  readonly turn: Mutex;
  /** One after the other, its hosts are looked at. */
  isLookedAt: boolean;
}

const hourMs = 3_600_000;

export class Pruner {
  private readonly disks = new Map<string, Disk>();
  private readonly stopping = new AbortController();
  private readonly sweeper: Sweeper;
  private hourly: NodeJS.Timeout | undefined;

  constructor(private readonly parts: PrunerParts) {
    this.sweeper = new Sweeper(parts);
  }

  /** Looks at all hosts, sweeps what a daemon that died took out, and then looks at each host after its backups. */
  start(): void {
    this.hourly = setInterval(() => void this.pruneAll(), hourMs);
    void this.begin();
    void this.follow();
  }

  private async begin(): Promise<void> {
    const disks = this.hostsByDisk().map(async (hosts) => {
      await this.pruneHosts(hosts);
      for (const host of hosts) this.sweepOf(host);
    });
    await Promise.all(disks);
  }

  /** Settles when nothing is being removed any more, or `giveUp` is aborted; what is left is left for the next start. */
  async stop(giveUp: AbortSignal): Promise<void> {
    clearInterval(this.hourly);
    this.stopping.abort();
    const quiet = [...this.disks.values()].map(({ turn }) => turn.waitForUnlock());
    const gaveUp = new Promise<void>((resolve) => {
      if (giveUp.aborted) resolve();
      else giveUp.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([Promise.all([...quiet, this.sweeper.stop()]), gaveUp]);
  }

  /** What would be kept and removed now, and why. Throws HOST_NOT_FOUND. */
  async judge(
    name: string,
    failuresInRow = this.parts.lifecycle.failuresAgainstExpiry(name),
  ): Promise<RetentionDecision> {
    const { catalog, disk } = this.parts;
    const recorded = catalog.snapshots(name);
    const places = await disk.locate(recorded);
    const snapshots = recorded.filter((snapshot) => places.get(snapshot) === 'present');
    const judged = judgeSnapshots({ host: catalog.host(name), snapshots, failuresInRow });
    const others = recorded.flatMap((snapshot): Verdict[] => {
      const place = places.get(snapshot);
      if (place === 'present') return [];
      const isKept = place === 'absent';
      return [{ snapshot, isKept, reason: isKept ? absentReason : takenOutReason }];
    });
    const verdicts = judged.verdicts.map((verdict) => this.spare(verdict));
    return { ...judged, verdicts: [...verdicts, ...others].sort(newestFirst) };
  }

  /**
   * Removes what no rule keeps, oldest first, and judges anew before each: settings and backups may change meanwhile,
   * and the host may come into other hands. Throws HOST_NOT_FOUND, HOST_ELSEWHERE, HOST_NOT_HELD, BACKUPDIR_UNUSABLE or
   * BACKUPDIR_IN_USE; what was removed until then is gone.
   */
  async prune(name: string, failuresInRow?: number): Promise<PruneOutcome> {
    const host = this.parts.catalog.host(name);
    return this.diskOf(host).turn.runExclusive(async () => {
      const removed: Verdict[] = [];
      for (;;) {
        await this.parts.hold.require(name);
        const decision = await this.judge(name, failuresInRow);
        const next = decision.verdicts.findLast(({ isKept }) => !isKept);
        if (!next || this.stopping.signal.aborted) {
          const verdicts = [...decision.verdicts, ...removed].sort(newestFirst);
          return { ...decision, verdicts, removedCount: removed.length };
        }
        await this.remove(next);
        removed.push(next);
      }
    });
  }

  /** What is being restored stays, and what somebody has asked to archive. */
  private spare(verdict: Verdict): Verdict {
    const { snapshot, isKept } = verdict;
    const runs = isKept ? [] : this.parts.lifecycle.activeRuns();
    const user = runs.find(({ run }) => readsSnapshot(run, snapshot) || archivesSnapshot(run, snapshot));
    if (!user) return verdict;
    const what = user.run.kind === 'archive' ? 'archived' : 'restored';
    return { ...verdict, isKept: true, reason: `it is being ${what} (run ${user.run.id})` };
  }

  private readerOf(snapshot: SnapshotRecord): string | null {
    const reads = this.parts.lifecycle.activeRuns().find(({ run }) => readsSnapshot(run, snapshot));
    return reads?.run.id ?? null;
  }

  /** Throws SNAPSHOT_IN_USE while the snapshot is being restored, to whatever host. */
  refuseInUse(snapshot: SnapshotRecord): void {
    const run = this.readerOf(snapshot);
    const { host, name } = snapshot;
    if (run !== null) throw new BusyError('SNAPSHOT_IN_USE', { host, snapshot: name, run });
  }

  /** Does a piece of work while nothing is removed on the disk of the host. */
  alone<T>({ backupdir }: Pick<Host, 'backupdir'>, work: () => Promise<T>): Promise<T> {
    return this.diskOf({ backupdir }).turn.runExclusive(work);
  }

  /**
   * Removes a snapshot for the reason given; to be called `alone`. Throws SNAPSHOT_IN_USE while it is being restored,
   * BACKUPDIR_UNUSABLE or BACKUPDIR_IN_USE.
   */
  async remove({ snapshot, reason }: Pick<Verdict, 'snapshot' | 'reason'>): Promise<void> {
    const { disk, catalog, audit, log } = this.parts;
    this.refuseInUse(snapshot);
    if (reason !== takenOutReason) await disk.takeOut(snapshot);
    // After a crash before this line the next pass comes here again.
    await audit.note('RemoveSnapshot', snapshot.host, { snapshot: snapshot.name, message: reason });
    await catalog.forget(snapshot);
    log.info('a snapshot was removed', { host: snapshot.host, snapshot: snapshot.name, because: reason });
    this.sweep(catalog.host(snapshot.host), snapshot);
  }

  /**
   * For a disk that is about to be unmounted: settles when it is quiet. With a new snapshot the host is looked at
   * before, since later its disk is gone. Never throws.
   */
  async quietDisk(host: Host, hasNewSnapshot: boolean): Promise<void> {
    if (hasNewSnapshot) await this.pruneUnasked(host, 0);
    this.sweepOf(host);
    await this.sweeper.quiet(host);
  }

  /**
   * Removes what need not be kept of these hosts, and settles when its space is free; answers how many snapshots were
   * removed. Never throws.
   */
  async expire(hosts: readonly Host[]): Promise<number> {
    let removed = 0;
    for (const host of hosts) {
      removed += await this.pruneUnasked(host);
      // Also what was taken out before, and could not be freed then.
      this.sweepOf(host);
    }
    await Promise.all(hosts.map((host) => this.sweeper.quiet(host)));
    return removed;
  }

  private diskOf({ backupdir }: Pick<Host, 'backupdir'>): Disk {
    const disk = this.disks.get(backupdir) ?? { turn: new Mutex(), isLookedAt: false };
    this.disks.set(backupdir, disk);
    return disk;
  }

  /** Frees the space of all that was taken out beside this in the directory of the host, in the background. */
  sweep(host: Host, beside: Beside): void {
    this.sweeper.sweep(host, beside);
  }

  private sweepOf(host: Host): void {
    const [newest] = this.parts.catalog.snapshots(host.name);
    // A host without snapshots may have tried to fill the disk.
    this.sweep(host, newest ?? { path: `${host.backupdir}/${host.name}/none` });
  }

  private async pruneAll(): Promise<void> {
    await Promise.all(this.hostsByDisk().map((hosts) => this.pruneHosts(hosts)));
  }

  /** A disk that hangs delays no other. */
  private hostsByDisk(): Host[][] {
    const groups = new Map<Disk, Host[]>();
    for (const host of this.parts.catalog.hosts()) {
      const disk = this.diskOf(host);
      const group = groups.get(disk);
      if (group) group.push(host);
      else groups.set(disk, [host]);
    }
    return [...groups.values()];
  }

  /** All of one disk, unless the last look at it has not ended. */
  private async pruneHosts(hosts: readonly Host[]): Promise<void> {
    const [first] = hosts;
    if (!first || this.diskOf(first).isLookedAt) return;
    this.diskOf(first).isLookedAt = true;
    for (const host of hosts) {
      await this.pruneUnasked(host);
      // Ten thousand hosts must not hold up the calls of clients.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.diskOf(first).isLookedAt = false;
  }

  private async follow(): Promise<void> {
    const onlyNew = { afterRevision: 0, host: null, runId: null };
    for await (const { run } of this.parts.events.watch(onlyNew, this.stopping.signal)) {
      if (isActive(run.state)) continue;
      const host = this.parts.catalog.hosts().find(({ name }) => name === run.host);
      if (host) void this.pruneUnasked(host).then(() => this.sweepOf(host));
    }
  }

  /** Answers how many snapshots were removed. */
  private async pruneUnasked(host: Host, failuresInRow?: number): Promise<number> {
    // Also without keep: of several held ones only the newest stays.
    const mayRemove = host.keep !== null || this.parts.catalog.snapshots(host.name).some(isHeld);
    if (!mayRemove || this.stopping.signal.aborted || !this.parts.hold.isOurs(host.name)) return 0;
    try {
      return (await this.prune(host.name, failuresInRow)).removedCount;
    } catch (error) {
      const { reason, message, advice } = toBusyError(error);
      if (noFaults.includes(reason)) return 0;
      const facts = { host: host.name, reason, error: `${message} ${advice}` };
      this.parts.log.error('old snapshots could not be removed; it is tried again within the hour', facts);
      return 0;
    }
  }
}

/** The host was removed, or another daemon has it by now, or may have it. */
const noFaults: readonly string[] = ['HOST_NOT_FOUND', 'HOST_ELSEWHERE', 'HOST_NOT_HELD'];
const absentReason = 'it is not on the disk now, so it counts for no rule';
const takenOutReason = 'it was being removed when the daemon ended';

function newestFirst(a: Verdict, b: Verdict): number {
  return a.snapshot.name < b.snapshot.name ? 1 : -1;
}
