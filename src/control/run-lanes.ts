/**
 * The queues of runs: each kind of work has one of its own, since none may wait for another. Verifications and drills
 * read slowly what nobody waits for; a backup has its time of day; an archive takes all cores for a long time; somebody
 * waits for a restore.
 */
import { RunQueue, type QueuedRun, type QueueLimits } from './run-queue.js';

export const allLanes = ['backup', 'verification', 'archiving', 'restore', 'drill'] as const;
export type Lane = (typeof allLanes)[number];

/** One at a time on a disk: two that read would only be in each other's way. */
const verificationLimits: QueueLimits = { total: 4, perDisk: 1 };

/** Each compresses on all cores. */
const archivingLimits: QueueLimits = { total: 2, perDisk: 1 };

const restoreLimits: QueueLimits = { total: 4, perDisk: 4 };

/** One at all: each uses a disk for reading and writing. */
const drillLimits: QueueLimits = { total: 1, perDisk: 1 };

export class RunLanes {
  private readonly queues: Readonly<Record<Lane, RunQueue>>;

  /** `limits` are those of backups. `carryOut` as in RunQueue. */
  constructor(limits: QueueLimits, carryOut: (runId: string) => Promise<boolean>) {
    this.queues = {
      backup: new RunQueue(limits, carryOut),
      verification: new RunQueue(verificationLimits, carryOut),
      archiving: new RunQueue(archivingLimits, carryOut),
      restore: new RunQueue(restoreLimits, carryOut),
      drill: new RunQueue(drillLimits, carryOut),
    };
  }

  add(lane: Lane, run: QueuedRun): void {
    this.queues[lane].add(run);
  }

  /** Takes a run out that has not started. */
  remove(runId: string): void {
    for (const queue of this.all()) queue.remove(runId);
  }

  /** Of backups; what runs goes on. */
  setLimits(limits: QueueLimits): void {
    this.queues.backup.setLimits(limits);
  }

  hold(): void {
    for (const queue of this.all()) queue.hold();
  }

  goOn(): void {
    for (const queue of this.all()) queue.goOn();
  }

  counts(lane: Lane): { queued: number; running: number } {
    return this.queues[lane].counts();
  }

  stop(): void {
    for (const queue of this.all()) queue.stop();
  }

  async idle(): Promise<void> {
    await Promise.all(this.all().map((queue) => queue.idle()));
  }

  private all(): readonly RunQueue[] {
    return Object.values(this.queues);
  }
}
