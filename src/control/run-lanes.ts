/**
 * The queues of runs: backups, verifications and restores have one each, since none may wait for the other. A
 * verification reads slowly what nobody waits for; a backup has its time of day; somebody waits for a restore.
 */
import { RunQueue, type QueuedRun, type QueueLimits } from './run-queue.js';

export type Lane = 'backup' | 'verification' | 'restore';

export const allLanes: readonly Lane[] = ['backup', 'verification', 'restore'];

/** One at a time on a disk: two that read would only be in each other's way. */
const verificationLimits: QueueLimits = { total: 4, perDisk: 1 };

const restoreLimits: QueueLimits = { total: 4, perDisk: 4 };

export class RunLanes {
  private readonly queues: Readonly<Record<Lane, RunQueue>>;

  /** `limits` are those of backups. `carryOut` as in RunQueue. */
  constructor(limits: QueueLimits, carryOut: (runId: string) => Promise<boolean>) {
    this.queues = {
      backup: new RunQueue(limits, carryOut),
      verification: new RunQueue(verificationLimits, carryOut),
      restore: new RunQueue(restoreLimits, carryOut),
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
