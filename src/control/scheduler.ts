/**
 * Looks at all hosts again and again, and starts a backup of each that is due and online. What is due is decided by
 * `core/due.ts`; node-cron only gives the wake-ups, so a wake-up that is lost or comes twice changes nothing.
 */
import { schedule, type ScheduledTask } from 'node-cron';
import { DueRules, type DueDecision } from '../core/due.js';
import type { Host } from '../core/host.js';
import type { Clock } from '../core/ports.js';
import type { Presence } from '../core/presence.js';
import type { RunRecord } from '../core/run.js';
import type { SnapshotRecord } from '../core/snapshot.js';
import type { Catalog } from './catalog.js';
import { isFaultOfStart } from './host-rounds.js';
import type { RunLifecycle } from './run-lifecycle.js';

export interface SchedulerParts {
  readonly clock: Clock;
  readonly catalog: Pick<Catalog, 'hosts' | 'host' | 'snapshots'>;
  readonly lifecycle: Pick<RunLifecycle, 'trigger' | 'isBusy' | 'lastRun' | 'failuresInRow'>;
  /** Never throws. One host that is slow to answer delays no other. */
  readonly lookFor: (host: Host) => Promise<Presence>;
  /** What no caller can be told. */
  readonly onError: (message: string, error: unknown) => void;
}

/** A decision together with what the rules do not know. */
export interface Explanation {
  readonly decision: DueDecision;
  readonly presence: Presence;
  /** The host has a run that has not ended. */
  readonly isBusy: boolean;
  /** Plain words; empty when it waits for nothing. */
  readonly waitsFor: string;
}

/** Seconds 0, 20 and 40: a host that appears is seen at once, for a person's notion of it. */
const wakeUps = '*/20 * * * * *';

/**
 * In this time there are wake-ups, or the clock was set back: then node-cron waits until the clock is where it was, for
 * days if need be, and is begun anew.
 */
const silenceMs = 30_000;

/** So many hosts are decided on, or looked at, before others get their turn: neither takes them 10 ms. */
const decisionsAtOnce = 16;
const looksAtOnce = 1000;

/** No date is later. */
const endOfTime = new Date(8.64e15);

/** What the rules said of a host that is not due, and what they said it of. */
interface Wait {
  readonly host: Host;
  readonly newest: SnapshotRecord | undefined;
  readonly lastRun: RunRecord | null;
  readonly from: Date;
  readonly until: Date;
  readonly nextAt: Date | null;
}

export class Scheduler {
  private readonly rules = new DueRules();
  /** Hosts whose answer is waited for: none is asked twice at once, and none holds up another. */
  private readonly asked = new Set<string>();
  /** Hosts that are not asked about again before their time: that makes a look at ten thousand a matter of milliseconds. */
  private readonly waits = new Map<string, Wait>();
  private task: ScheduledTask | null = null;
  private silence: NodeJS.Timeout | undefined;
  private hasWokenUp = false;
  private isStopped = false;

  constructor(private readonly parts: SchedulerParts) {}

  start(): void {
    this.wakeUpAgain();
    this.silence = setInterval(() => {
      if (!this.hasWokenUp) this.wakeUpAgain();
      this.hasWokenUp = false;
    }, silenceMs);
  }

  /** Starts no backup any more, also of hosts whose answer is waited for. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.silence);
    await this.task?.destroy();
  }

  /** Looks now and from now on. */
  private wakeUpAgain(): void {
    void this.task?.destroy();
    const wakeUp = (): void => {
      this.hasWokenUp = true;
      void this.look();
    };
    // It would write a line to the console for each one that a clock set forward has passed over.
    this.task = schedule(wakeUps, wakeUp, { suppressMissedWarning: true });
    void this.look();
  }

  /** The hosts that are due by the rules, the most overdue first. */
  async due(): Promise<{ host: Host; decision: DueDecision }[]> {
    const { catalog, lifecycle } = this.parts;
    const due: { host: Host; decision: DueDecision }[] = [];
    let work = 0;
    for (const host of catalog.hosts()) {
      if (lifecycle.isBusy(host.name) || this.isWaiting(host)) work += 1 / looksAtOnce;
      else {
        const decision = this.decideAndRemember(host);
        if (decision.isDue) due.push({ host, decision });
        work += 1 / decisionsAtOnce;
      }
      if (work < 1) continue;
      // A pass over ten thousand hosts must not hold up the calls of clients.
      await new Promise((resolve) => setImmediate(resolve));
      work = 0;
    }
    return due.sort((a, b) => byUrgency(a.decision, b.decision) || (a.host.name < b.host.name ? -1 : 1));
  }

  /** One pass over all hosts; settles when each that is due was asked and, if it is there, triggered. */
  async look(): Promise<void> {
    try {
      const candidates = (await this.due()).filter(({ host }) => !this.asked.has(host.name));
      await Promise.all(candidates.map(({ host }) => this.ask(host)));
    } catch (error) {
      this.parts.onError('a pass over the hosts failed', error);
    }
  }

  /** Why a host is or is not backed up now. Throws HOST_NOT_FOUND. */
  async explain(name: string): Promise<Explanation> {
    const host = this.parts.catalog.host(name);
    const presence = await this.parts.lookFor(host);
    const decision = this.decide(host);
    const isBusy = this.parts.lifecycle.isBusy(name);
    return { decision, presence, isBusy, waitsFor: waitsFor(decision, presence, isBusy) };
  }

  /** When the rules will next ask for a backup of a host: now, where they do; null when it cannot be said. */
  nextAt(host: Host): Date | null {
    const wait = this.waits.get(host.name);
    if (wait && this.isWaiting(host)) return wait.nextAt;
    const { isDue, nextAt } = this.decideAndRemember(host);
    return isDue ? this.parts.clock.now() : nextAt;
  }

  /** Whether a host cannot be due yet, since nothing has changed from when the rules said how long it waits. */
  private isWaiting(host: Host): boolean {
    const wait = this.waits.get(host.name);
    if (!wait || wait.host !== host) return false;
    const { catalog, lifecycle, clock } = this.parts;
    const now = clock.now();
    // A clock that was set back makes the promise void.
    if (now < wait.from || now >= wait.until) return false;
    return wait.newest === catalog.snapshots(host.name)[0] && wait.lastRun === lifecycle.lastRun(host.name);
  }

  private decideAndRemember(host: Host): DueDecision {
    const { catalog, lifecycle, clock } = this.parts;
    // Once: were the clock set back between two looks at it, the host would wait for a time that is far ahead.
    const now = clock.now();
    const decision = this.decide(host, now);
    const { isDue, isWindowOpen, nextAt } = decision;
    const noUntil = host.schedule.slots === 'never' ? endOfTime : decision.noUntil;
    // A window that waits for its time may open before: where the clock is set back, an hour of it comes twice.
    if (isDue || !isWindowOpen || noUntil === null) this.waits.delete(host.name);
    else {
      const [newest] = catalog.snapshots(host.name);
      const lastRun = lifecycle.lastRun(host.name);
      this.waits.set(host.name, { host, newest, lastRun, from: now, until: noUntil, nextAt });
    }
    return decision;
  }

  private decide(host: Host, now = this.parts.clock.now()): DueDecision {
    const { catalog, lifecycle } = this.parts;
    return this.rules.decide({
      host,
      snapshots: catalog.snapshots(host.name),
      lastRun: lifecycle.lastRun(host.name),
      failuresInRow: lifecycle.failuresInRow(host.name),
      now,
    });
  }

  private async ask(host: Host): Promise<void> {
    this.asked.add(host.name);
    try {
      await this.startIfOnline(host);
    } finally {
      this.asked.delete(host.name);
    }
  }

  private async startIfOnline(asked: Host): Promise<void> {
    const { lookFor, catalog, lifecycle, onError } = this.parts;
    try {
      if (this.isStopped) return;
      const { isOnline } = await lookFor(asked);
      if (!isOnline || this.isStopped) return;
      // Meanwhile it may have been backed up by hand, or have other settings.
      const host = catalog.host(asked.name);
      const { isDue, overdue, reasons } = this.decide(host);
      if (!isDue) return;
      const why = reasons.join('; ');
      const request = { host: host.name, type: 'auto', requestId: null, isScheduled: true } as const;
      await lifecycle.trigger({ ...request, urgency: overdue, why });
    } catch (error) {
      if (isFaultOfStart(error)) onError('a due backup could not be queued', error);
    }
  }
}

/** Two without any snapshot are infinitely overdue, both. */
function byUrgency(a: DueDecision, b: DueDecision): number {
  return a.overdue === b.overdue ? 0 : b.overdue - a.overdue;
}

function waitsFor(decision: DueDecision, { isOnline }: Presence, isBusy: boolean): string {
  if (isBusy) return 'its run to end';
  if (!decision.isDue) return decision.nextAt ? 'its time to come' : 'someone to start it by hand';
  return isOnline ? '' : 'the host to come online';
}
