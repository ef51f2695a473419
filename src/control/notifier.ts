/**
 * Tells people by mail how their hosts are: it hears of ended runs and of the time, lets the rules of
 * `core/alerts.ts` decide, and keeps the mails and what was told in one step. Nothing waits for a mail to be sent.
 */
import { Mutex } from 'async-mutex';
import { monotonicFactory } from 'ulid';
import {
  decideAfterRun,
  decideAfterTime,
  newAlertState,
  type Alert,
  type AlertState,
  type Decision,
  type Moment,
} from '../core/alerts.js';
import { isDigestDue, newestDigestSlot } from '../core/digest.js';
import { isDatabaseAway } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Mail, MailText, MailWriter, OutboxStore } from '../core/mail.js';
import type { Clock } from '../core/ports.js';
import { isActive, type RunRecord } from '../core/run.js';
import type { MailSettings } from '../core/settings.js';
import type { SnapshotRecord } from '../core/snapshot.js';
import type { HostHold } from './host-claims.js';
import type { MailLog, Outbox } from './outbox.js';
import type { RunEvents } from './run-events.js';

export interface NotifierParts {
  readonly clock: Clock;
  /** The hosts as they are configured now. */
  readonly hosts: () => readonly Host[];
  readonly newestSnapshot: (host: string) => SnapshotRecord | null;
  readonly getRun: (id: string) => Promise<RunRecord | null>;
  /** The last lines of a run's log, oldest first. */
  readonly readLastLogLines: (runId: string) => Promise<readonly string[]>;
  readonly events: Pick<RunEvents, 'watch' | 'nextRevision'>;
  readonly store: OutboxStore;
  readonly outbox: Pick<Outbox, 'wake' | 'stop'>;
  readonly writer: MailWriter;
  /** Which hosts are this daemon's; of others another one tells. */
  readonly hold: Pick<HostHold, 'isOurs' | 'isPostman'>;
  readonly settings: Pick<MailSettings, 'digest' | 'digestTo'>;
  readonly log: MailLog;
}

export class Notifier {
  private readonly states = new Map<string, AlertState>();
  /** Ended runs that are not judged yet. */
  private readonly ended: RunRecord[] = [];
  private readonly turns = new Mutex();
  private readonly stopping = new AbortController();
  /** Ids that sort in the order of the mails, also within a millisecond. */
  private readonly nextId = monotonicFactory();
  private readonly startedAt: Date;
  private following: Promise<void> | null = null;
  /** Runs up to this revision have been heard of. */
  private revision = 0;
  /** The revision at the start, from which hosts without a state are judged. */
  private firstRevision = 0;

  constructor(private readonly parts: NotifierParts) {
    this.startedAt = parts.clock.now();
  }

  /** Reads what was told, and takes up the runs that ended since. Call it before anything runs. */
  async start(): Promise<void> {
    for (const state of await this.parts.store.alertStates()) {
      this.states.set(state.host, state);
      this.revision = Math.max(this.revision, state.revision);
    }
    // Before the first start of all there is nothing to tell of.
    if (this.revision === 0) this.revision = this.parts.events.nextRevision();
    this.firstRevision = this.revision;
    this.follow();
    this.parts.outbox.wake();
  }

  /** Reads what other daemons told of hosts that were in their hands. */
  async learn(hosts: readonly string[]): Promise<void> {
    const learnt = new Set(hosts);
    for (const state of await this.parts.store.alertStates()) {
      if (learnt.has(state.host)) this.states.set(state.host, state);
    }
  }

  /** Judges a run that has ended; settles when its mails are kept. Never throws: what fails is tried again. */
  runEnded(run: RunRecord): Promise<void> {
    this.ended.push(run);
    return this.inTurn(() => this.judgeEnded());
  }

  /** To be called each minute. Settles when the mails are kept. Never throws: what fails is tried again. */
  async tick(): Promise<void> {
    this.follow();
    await this.inTurn(async () => {
      await this.judgeEnded();
      for (const host of this.ours()) await this.judgeTime(host);
      await this.recordDigest();
    });
    this.parts.outbox.wake();
  }

  /** Keeps no further mail, and stops the outbox. */
  async stop(giveUp: AbortSignal): Promise<void> {
    this.stopping.abort();
    await this.following;
    await this.turns.waitForUnlock();
    await this.parts.outbox.stop(giveUp);
  }

  /** Hears of runs, from the last that was judged on; begins anew when that broke off. */
  private follow(): void {
    if (this.stopping.signal.aborted) return;
    this.following ??= this.hear()
      .catch((error: unknown) => this.report('the ends of runs cannot be followed; it is tried again', error))
      .finally(() => (this.following = null));
  }

  private async hear(): Promise<void> {
    const options = { afterRevision: this.revision, host: null, runId: null };
    for await (const { run } of this.parts.events.watch(options, this.stopping.signal)) {
      if (!isActive(run.state)) await this.runEnded(run);
    }
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    return this.turns.runExclusive(async () => {
      try {
        await work();
      } catch (error) {
        this.report('mails could not be kept; it is tried again', error);
      }
    });
  }

  /** That the database is away is told by its watch. */
  private report(message: string, error: unknown): void {
    if (!isDatabaseAway(error)) this.parts.log.error(message, { error });
  }

  private async judgeEnded(): Promise<void> {
    for (let run = this.ended[0]; run !== undefined; run = this.ended[0]) {
      const host = this.ours().find(({ name }) => name === run?.host);
      if (host) await this.judgeRun(host, run);
      this.revision = Math.max(this.revision, run.revision);
      this.ended.shift();
    }
  }

  private async judgeRun(host: Host, run: RunRecord): Promise<void> {
    const state = this.stateOf(host);
    // Heard of twice, since what was not told before a stop is read again.
    if (run.revision <= state.revision) return;
    await this.keep(host, decideAfterRun(host, state, run, this.momentOf(host)), run);
  }

  private async judgeTime(host: Host): Promise<void> {
    const state = this.stateOf(host);
    const decision = decideAfterTime(host, state, this.momentOf(host));
    if (decision.state !== state || !this.states.has(host.name)) await this.keep(host, decision, null);
  }

  private async keep(host: Host, { state, alerts }: Decision, run: RunRecord | null): Promise<void> {
    const mails: Mail[] = [];
    for (const alert of alerts) mails.push(...(await this.writeAlert(host, alert, run)));
    await this.parts.store.recordAlert(state, mails);
    this.states.set(host.name, state);
    if (mails.length > 0) this.parts.outbox.wake();
  }

  private async writeAlert(host: Host, alert: Alert, judged: RunRecord | null): Promise<Mail[]> {
    const { clock, newestSnapshot, writer, getRun } = this.parts;
    const { runId } = alert;
    const run = judged?.id === runId ? judged : runId === null ? null : await getRun(runId);
    const text = writer.alert({
      alert,
      host: host.name,
      alertAfter: host.alertAfter,
      run,
      newestSnapshot: newestSnapshot(host.name),
      logLines: runId === null ? [] : await this.logLines(runId),
      now: clock.now(),
    });
    return this.address(text, host.mail.to);
  }

  private async logLines(runId: string): Promise<readonly string[]> {
    try {
      return await this.parts.readLastLogLines(runId);
    } catch (error) {
      // The mail matters more than its last lines.
      this.parts.log.warn('the log of a run could not be read for a mail', { run: runId, error });
      return [];
    }
  }

  private async recordDigest(): Promise<void> {
    const { clock, store, settings, writer, newestSnapshot, outbox } = this.parts;
    if (settings.digest === null || !this.parts.hold.isPostman()) return;
    const now = clock.now();
    const slot = newestDigestSlot(settings.digest, now);
    const mark = await store.digestMark();
    if (mark?.getTime() === slot.getTime()) return;
    await this.learn(this.parts.hosts().flatMap(({ name }) => (this.parts.hold.isOurs(name) ? [] : [name])));
    const entries = this.parts.hosts().map((host) => ({
      host: host.name,
      state: this.stateOf(host),
      newestSnapshot: newestSnapshot(host.name),
    }));
    const mails = isDigestDue(slot, mark) ? this.address(writer.digest(entries, now), settings.digestTo) : [];
    await store.recordDigest(slot, mails);
    outbox.wake();
  }

  private ours(): readonly Host[] {
    return this.parts.hosts().filter(({ name }) => this.parts.hold.isOurs(name));
  }

  private address(text: MailText, recipients: readonly string[]): Mail[] {
    const createdAt = this.parts.clock.now();
    return recipients.map((recipient) => ({
      ...text,
      id: this.nextId(createdAt.getTime()),
      recipient,
      createdAt,
    }));
  }

  private stateOf(host: Host): AlertState {
    return this.states.get(host.name) ?? newAlertState(host.name, this.parts.clock.now(), this.firstRevision);
  }

  private momentOf(host: Host): Moment {
    const { clock, newestSnapshot } = this.parts;
    const newestSnapshotAt = newestSnapshot(host.name)?.startedAt ?? null;
    return { now: clock.now(), newestSnapshotAt, daemonStartedAt: this.startedAt };
  }
}
