/**
 * Looks at all hosts again and again, and starts a backup of each that is due and online. What is due is decided by
 * `core/due.ts`; node-cron only gives the wake-ups, so a wake-up that is lost or comes twice changes nothing.
 */
import { schedule, type ScheduledTask } from 'node-cron';
import pLimit from 'p-limit';
import { DueRules, type DueDecision } from '../core/due.js';
import { toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Clock } from '../core/ports.js';
import type { Catalog } from './catalog.js';
import type { RunLifecycle } from './run-lifecycle.js';

export interface SchedulerParts {
  readonly clock: Clock;
  readonly catalog: Pick<Catalog, 'hosts' | 'host' | 'snapshots'>;
  readonly lifecycle: Pick<RunLifecycle, 'trigger' | 'isBusy' | 'lastRun' | 'failuresInRow'>;
  /** Never throws. */
  readonly isOnline: (host: Host) => Promise<boolean>;
  /** What no caller can be told. */
  readonly onError: (message: string, error: unknown) => void;
}

/** A decision together with what the rules do not know. */
export interface Explanation {
  readonly decision: DueDecision;
  readonly isOnline: boolean;
  /** The host has a run that has not ended. */
  readonly isBusy: boolean;
  /** Plain words; empty when it waits for nothing. */
  readonly waitsFor: string;
}

/** Seconds 0, 20 and 40: a host that appears is seen at once, for a person's notion of it. */
const wakeUps = '*/20 * * * * *';

/** So many hosts are asked at the same time whether they are there. */
const questionsAtOnce = 64;

export class Scheduler {
  private readonly rules = new DueRules();
  private task: ScheduledTask | null = null;
  private isLooking = false;

  constructor(private readonly parts: SchedulerParts) {}

  start(): void {
    this.task = schedule(wakeUps, () => void this.look(), { noOverlap: true });
    void this.look();
  }

  async stop(): Promise<void> {
    await this.task?.destroy();
  }

  /** The hosts that are due by the rules, the most overdue first. */
  due(): { host: Host; decision: DueDecision }[] {
    const { catalog, lifecycle } = this.parts;
    return catalog
      .hosts()
      .filter((host) => !lifecycle.isBusy(host.name))
      .map((host) => ({ host, decision: this.decide(host) }))
      .filter(({ decision }) => decision.isDue)
      .sort((a, b) => (a.decision.overdue > b.decision.overdue ? -1 : 1));
  }

  /** One pass over all hosts; settles when each that is due was asked and, if it is there, triggered. */
  async look(): Promise<void> {
    if (this.isLooking) return;
    this.isLooking = true;
    const limit = pLimit(questionsAtOnce);
    try {
      await Promise.all(this.due().map((candidate) => limit(() => this.startIfOnline(candidate))));
    } catch (error) {
      this.parts.onError('a pass over the hosts failed', error);
    } finally {
      this.isLooking = false;
    }
  }

  /** Why a host is or is not backed up now. Throws HOST_NOT_FOUND. */
  async explain(name: string): Promise<Explanation> {
    const host = this.parts.catalog.host(name);
    const isOnline = await this.parts.isOnline(host);
    const decision = this.decide(host);
    const isBusy = this.parts.lifecycle.isBusy(name);
    return { decision, isOnline, isBusy, waitsFor: waitsFor(decision, isOnline, isBusy) };
  }

  private decide(host: Host): DueDecision {
    const { catalog, lifecycle, clock } = this.parts;
    return this.rules.decide({
      host,
      snapshots: catalog.snapshots(host.name),
      lastRun: lifecycle.lastRun(host.name),
      failuresInRow: lifecycle.failuresInRow(host.name),
      now: clock.now(),
    });
  }

  private async startIfOnline({ host, decision }: { host: Host; decision: DueDecision }): Promise<void> {
    if (!(await this.parts.isOnline(host))) return;
    const why = decision.reasons.join('; ');
    const request = {
      host: host.name,
      type: 'auto',
      requestId: null,
      urgency: decision.overdue,
      why,
    } as const;
    try {
      await this.parts.lifecycle.trigger(request);
    } catch (error) {
      // Someone else was faster, or the daemon stops: both are no faults.
      const expected = ['HOST_BUSY', 'DAEMON_STOPPING', 'HOST_NOT_FOUND'];
      if (!expected.includes(toBusyError(error).reason))
        this.parts.onError('a due backup could not be queued', error);
    }
  }
}

function waitsFor(decision: DueDecision, isOnline: boolean, isBusy: boolean): string {
  if (isBusy) return 'its run to end';
  if (!decision.isDue) return decision.nextAt ? 'its time to come' : 'someone to start it by hand';
  return isOnline ? '' : 'the host to come online';
}
