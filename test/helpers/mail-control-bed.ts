/**
 * Notifier and outbox over a real database, with a clock and a mailer that the test moves by hand. `restart` is what
 * a restart of the daemon is to them; `crash` one without a stop.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { soleDaemon } from '../../src/control/host-claims.js';
import { Notifier } from '../../src/control/notifier.js';
import { Outbox, type MailLog } from '../../src/control/outbox.js';
import { RunEvents } from '../../src/control/run-events.js';
import type { Host } from '../../src/core/host.js';
import type { Mail, OutboxStore } from '../../src/core/mail.js';
import type { RunStore } from '../../src/core/ports.js';
import type { RunRecord } from '../../src/core/run.js';
import type { MailSettings } from '../../src/core/settings.js';
import type { SnapshotRecord } from '../../src/core/snapshot.js';
import { createMailWriter } from '../../src/notify/report.js';
import { openDatabase, type Database } from '../../src/store/data-source.js';
import { createOutboxStore } from '../../src/store/outbox.js';
import { createRunStore } from '../../src/store/runs.js';
import { endedRun, mailHost, minuteMs, snapshotAt } from './mail-samples.js';

export class MailControlBed {
  now = new Date(2026, 10, 1, 7, 0);
  hosts: readonly Host[] = [mailHost()];
  settings: Pick<MailSettings, 'digest' | 'digestTo'> = { digest: null, digestTo: ['boss'] };
  readonly snapshots = new Map<string, SnapshotRecord>();
  readonly sent: Mail[] = [];
  readonly attempts: Mail[] = [];
  readonly logged: { level: string; message: string; fields: Readonly<Record<string, unknown>> }[] = [];
  /** What the mail server does with a mail. */
  deliver: (mail: Mail, signal: AbortSignal) => Promise<void> = () => Promise.resolve();
  /** Replaces parts of the store. */
  storeFaults: Partial<OutboxStore> = {};
  readLog: (runId: string) => Promise<readonly string[]> = (runId) => Promise.resolve([`log of ${runId}`]);
  notifier!: Notifier;
  outbox!: Outbox;
  runs!: RunStore;
  events!: RunEvents;
  private database!: Database;
  private runCount = 0;

  private constructor(private readonly directory: string) {}

  static async open(): Promise<MailControlBed> {
    const bed = new MailControlBed(await mkdtemp(join(tmpdir(), 'busy-notifier-')));
    await bed.start();
    return bed;
  }

  async restart(): Promise<void> {
    await this.notifier.stop(AbortSignal.abort());
    await this.crash();
  }

  async crash(): Promise<void> {
    await this.database.close();
    await this.start();
  }

  async close(): Promise<void> {
    await this.notifier.stop(AbortSignal.abort());
    await this.database.close();
    await rm(this.directory, { recursive: true });
  }

  /** Lets time pass with a tick each hour, or as told, and sends what is due. */
  async pass(ms: number, stepMs = 60 * minuteMs): Promise<void> {
    const end = this.now.getTime() + ms;
    while (this.now.getTime() < end) {
      this.now = new Date(Math.min(end, this.now.getTime() + stepMs));
      await this.tick();
    }
  }

  async tick(): Promise<void> {
    await this.notifier.tick();
    await this.outbox.idle();
  }

  /** Ends a run now; with a snapshot where the state has one. */
  async run(state: RunRecord['state'], host = 'web1', changes: Partial<RunRecord> = {}): Promise<RunRecord> {
    this.runCount += 1;
    if (state === 'SUCCEEDED' || state === 'PARTIAL')
      this.snapshots.set(host, snapshotAt(this.now, { host }));
    const revision = this.events.nextRevision();
    const run = endedRun(this.runCount, state, this.now, { host, revision, ...changes });
    await this.runs.add(run);
    await this.notifier.runEnded(run);
    await this.outbox.idle();
    return run;
  }

  /** The subjects of the mails since the last call, without their beginning. */
  takeSubjects(): string[] {
    return this.sent.splice(0).map(({ subject }) => subject.replace('[busy] backup1: ', ''));
  }

  private async start(): Promise<void> {
    this.database = await openDatabase({ kind: 'sqlite', path: join(this.directory, 'busy.db') });
    const clock = { now: (): Date => this.now };
    const kept = createOutboxStore(this.database);
    const store = new Proxy(kept, {
      get: (target, name: keyof OutboxStore) => this.storeFaults[name] ?? target[name],
    });
    this.runs = createRunStore(this.database);
    this.events = new RunEvents(this.runs, clock);
    await this.events.start();
    const mailer = {
      send: async (mail: Mail, signal: AbortSignal): Promise<void> => {
        this.attempts.push(mail);
        await this.deliver(mail, signal);
        this.sent.push(mail);
      },
    };
    const log = this.log();
    this.outbox = new Outbox({ clock, store, mailer, log, isPostman: () => true });
    this.notifier = new Notifier({
      clock,
      hosts: () => this.hosts,
      newestSnapshot: (host) => this.snapshots.get(host) ?? null,
      getRun: (id) => this.runs.get(id),
      readLastLogLines: (runId) => this.readLog(runId),
      events: this.events,
      store,
      outbox: this.outbox,
      writer: createMailWriter('backup1'),
      hold: soleDaemon,
      settings: this.settings,
      log,
    });
    await this.notifier.start();
  }

  private log(): MailLog {
    const at =
      (level: string) =>
      (message: string, fields: Readonly<Record<string, unknown>>): void =>
        void this.logged.push({ level, message, fields });
    return { info: at('info'), warn: at('warn'), error: at('error') };
  }
}
