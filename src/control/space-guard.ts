/**
 * Lets a backup begin only where it has room. One that has none is not refused at once: what need not be kept is
 * removed first, of all hosts on the disk, so a disk that has become full mends itself. What a backup that began will
 * still put on the disk counts against those that want to begin after it.
 */
import { Mutex } from 'async-mutex';
import { BusyError, toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Executor } from '../core/executor-port.js';
import type { SpaceDisk } from '../core/ports.js';
import type { BackupType, SnapshotRecord } from '../core/snapshot.js';
import {
  add,
  estimateNeed,
  judgeRoom,
  measuredEstimate,
  nothing,
  snapshotToMeasure,
  stillToCome,
  type Amount,
  type Estimate,
  type RoomDecision,
} from '../core/space.js';
import type { Catalog } from './catalog.js';

export interface SpaceGuardParts {
  readonly catalog: Pick<Catalog, 'hosts' | 'snapshots'>;
  readonly executor: Pick<Executor, 'measure'>;
  readonly disk: SpaceDisk;
  /** Names the disk of a host's backups. */
  readonly diskOf: (host: Host) => Promise<string>;
  /** How many bytes a run has copied. */
  readonly bytesDone: (runId: string) => number;
  /** Removes what need not be kept of these hosts; answers how many snapshots, when their space is free. */
  readonly expire: (hosts: readonly Host[]) => Promise<number>;
  /** What no caller can be told. */
  readonly onError: (message: string, error: unknown) => void;
}

export interface RoomRequest {
  readonly runId: string;
  readonly host: Host;
  readonly type: BackupType;
  /** The run was cancelled. */
  readonly signal: AbortSignal;
  /** Writes a line into the log of the run; never throws. */
  say(text: string): Promise<void>;
}

const askEveryMs = 1000;

/** So long a backup waits for space that is being freed; a million files take some minutes. */
const patienceMs = 15 * 60_000;

export class SpaceGuard {
  private readonly turns = new Map<string, Mutex>();
  /** Runs that have asked and have not ended. */
  private readonly open = new Set<string>();
  /** What was promised to them. */
  private readonly promised = new Map<string, { readonly disk: string; readonly need: Amount | null }>();

  constructor(private readonly parts: SpaceGuardParts) {}

  /** Answers null when the backup may begin, else DISK_SPACE_LOW. Never throws. The promise ends with `release`. */
  async admit(request: RoomRequest): Promise<BusyError | null> {
    this.open.add(request.runId);
    try {
      return await this.admitOrExpire(await this.parts.diskOf(request.host), request);
    } catch (error) {
      // Then the backup itself will show whether there is room: half of min_free still guards the disk.
      this.parts.onError('the space on a backup disk could not be judged', error);
      return null;
    }
  }

  /** The run has ended. */
  release(runId: string): void {
    this.open.delete(runId);
    this.promised.delete(runId);
  }

  /** Whether a backup of this host would have room now; null where its disk cannot be seen. */
  async assess(host: Host, type: BackupType): Promise<RoomDecision | null> {
    const estimate = estimateNeed(type, this.snapshots(host));
    return this.judge(await this.parts.diskOf(host), host, estimate);
  }

  private async admitOrExpire(disk: string, request: RoomRequest): Promise<BusyError | null> {
    const { host, type, signal } = request;
    let estimate = estimateNeed(type, this.snapshots(host));
    let shortage = await this.promise(disk, request, estimate);
    if (shortage !== null && estimate.need) {
      estimate = await this.measured(request, estimate);
      shortage = await this.promise(disk, request, estimate);
    }
    if (shortage === null || signal.aborted) return null;
    await request.say(`too little space: ${shortage}; what need not be kept is removed first`);
    const ask = async (): Promise<boolean> => {
      shortage = await this.promise(disk, request, estimate);
      return shortage === null;
    };
    const expiry = await this.expireUntil(ask, disk, signal);
    await request.say(
      shortage === null ? `there is room now: ${expiry}` : `still too little space: ${expiry}`,
    );
    const facts = { host: host.name, backupdir: host.backupdir, detail: shortage ?? '', expiry };
    return shortage === null ? null : new BusyError('DISK_SPACE_LOW', facts);
  }

  /**
   * Promises a run its space where it is there; else answers what is missing. One after the other, since two must not
   * both be promised the same.
   */
  private promise(disk: string, { runId, host }: RoomRequest, estimate: Estimate): Promise<string | null> {
    return this.turnOn(disk).runExclusive(async () => {
      const decision = await this.judge(disk, host, estimate);
      if (decision !== null && !decision.fits) return decision.reason;
      if (this.open.has(runId)) this.promised.set(runId, { disk, need: estimate.need });
      return null;
    });
  }

  private async judge(disk: string, host: Host, estimate: Estimate): Promise<RoomDecision | null> {
    const room = await this.parts.disk.roomOf(host.backupdir);
    return room && judgeRoom({ room, minFree: host.minFree, promised: this.promisedOn(disk), estimate });
  }

  private promisedOn(disk: string): Amount {
    const others = [...this.promised].filter(([, promise]) => promise.disk === disk);
    return others
      .map(([runId, { need }]) => stillToCome(need, this.parts.bytesDone(runId)))
      .reduce(add, nothing);
  }

  /** What rsync counts is more than what sparse files and hard links take up; the disk knows, but takes its time. */
  private async measured({ host, type, signal }: RoomRequest, estimate: Estimate): Promise<Estimate> {
    const snapshot = snapshotToMeasure(type, this.snapshots(host));
    const { unfinished } = await this.parts.disk.leftovers(host);
    const groups = [snapshot ? [snapshot.path] : [], unfinished];
    const [usage = null, left = null] = await this.measureGroups(groups, signal);
    return measuredEstimate(type, estimate, usage, left?.own ?? nothing);
  }

  private async measureGroups(
    groups: readonly (readonly string[])[],
    signal: AbortSignal,
  ): ReturnType<Executor['measure']> {
    const wanted = groups.filter((group) => group.length > 0);
    try {
      const usages = await this.parts.executor.measure(wanted, () => {}, signal);
      const left = [...usages];
      return groups.map((group) => (group.length > 0 ? (left.shift() ?? null) : null));
    } catch (error) {
      // The estimate without it is good enough.
      if (toBusyError(error).reason !== 'CANCELLED')
        this.parts.onError('a snapshot could not be measured', error);
      return [];
    }
  }

  /** Asks until there is room or nothing more is to be expected; answers what was done, for a sentence. */
  private async expireUntil(ask: () => Promise<boolean>, disk: string, signal: AbortSignal): Promise<string> {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    const done: { removed: number | null } = { removed: null };
    const work = this.parts.expire(await this.hostsOn(disk)).then((count) => (done.removed = count));
    // Nobody may be waiting any more when it fails.
    work.catch(() => {});
    let hasRoom = false;
    while (!hasRoom && done.removed === null && !stop.aborted) {
      await soonest(work, askEveryMs);
      hasRoom = await ask();
    }
    const { removed } = done;
    if (removed === null) return 'old snapshots are being removed, and their space is freed meanwhile';
    return removed === 0
      ? 'there is no snapshot that need not be kept'
      : `${removed === 1 ? 'one snapshot was' : `${String(removed)} snapshots were`} removed that need not be kept`;
  }

  private async hostsOn(disk: string): Promise<Host[]> {
    const hosts = this.parts.catalog.hosts();
    const isOnIt = new Map<string, boolean>();
    for (const host of hosts)
      if (!isOnIt.has(host.backupdir)) isOnIt.set(host.backupdir, (await this.parts.diskOf(host)) === disk);
    return hosts.filter(({ backupdir }) => isOnIt.get(backupdir));
  }

  private snapshots(host: Host): readonly SnapshotRecord[] {
    return this.parts.catalog.hosts().some(({ name }) => name === host.name)
      ? this.parts.catalog.snapshots(host.name)
      : [];
  }

  private turnOn(disk: string): Mutex {
    const turn = this.turns.get(disk) ?? new Mutex();
    this.turns.set(disk, turn);
    return turn;
  }
}

/** Settles with the work or after some milliseconds, whichever is sooner. */
async function soonest(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
  await Promise.race([work, late]);
  clearTimeout(timer);
}
