/** Builds what sends mail and gives it its minute; a part of the composition root. */
import { believable } from './core/snapshot.js';
import { hostname } from 'node:os';
import type { Config } from './config.js';
import type { Catalog } from './control/catalog.js';
import type { HostHold } from './control/host-claims.js';
import { Notifier } from './control/notifier.js';
import { Outbox } from './control/outbox.js';
import type { RunEvents } from './control/run-events.js';
import { sendTest } from './control/test-mail.js';
import type { Clock, RunLogs, RunStore } from './core/ports.js';
import { newestOf } from './core/snapshot.js';
import { createMailer } from './notify/mail.js';
import { createMailWriter } from './notify/report.js';
import type { Database } from './store/data-source.js';
import { readLastLines } from './store/log-tail.js';
import { createOutboxStore } from './store/outbox.js';
import type { Logger } from './log.js';

export interface MailParts {
  readonly config: Pick<Config, 'mail'>;
  readonly database: Database;
  readonly clock: Clock;
  readonly runs: RunStore;
  readonly logs: RunLogs;
  readonly catalog: Catalog;
  readonly events: RunEvents;
  readonly hold: HostHold;
  readonly log: Logger;
}

export interface DaemonMail {
  /** See `Notifier`. */
  learn(hosts: readonly string[]): Promise<void>;
  /** See `sendTest` in control/test-mail.ts. */
  sendTestMail(to: string): Promise<string[]>;
  /** How many mails wait to be sent. Throws a DatabaseError. */
  waitingCount(): Promise<number>;
  /** The mail that is being sent may end until `giveUp` is aborted; all others are kept for the next start. */
  stop(giveUp: AbortSignal): Promise<void>;
}

const minuteMs = 60_000;
const logLinesInMail = 20;

/** Starts to hear of runs; call it after recovery and before anything runs. Throws a DatabaseError. */
export async function startMail(parts: MailParts): Promise<DaemonMail> {
  const { clock, runs, logs, catalog, events, hold, log } = parts;
  const settings = parts.config.mail;
  const store = createOutboxStore(parts.database);
  const mailer = createMailer({ settings, hostname: hostname() });
  const writer = createMailWriter(hostname());
  const hosts = (): ReturnType<Catalog['hosts']> => catalog.hosts();
  const notifier = new Notifier({
    clock,
    hosts,
    newestSnapshot: (host) => newestOf(believable(catalog.snapshots(host), clock.now())).good ?? null,
    getRun: (id) => runs.get(id),
    readLastLogLines: (runId) => readLastLines(logs.path(runId), logLinesInMail),
    events,
    store,
    outbox: new Outbox({ clock, store, mailer, log, isPostman: () => hold.isPostman() }),
    writer,
    hold,
    settings,
    log,
  });
  await notifier.start();
  const ticking = setInterval(() => void notifier.tick(), minuteMs);
  const stopping = new AbortController();
  return {
    learn: (learnt) => notifier.learn(learnt),
    waitingCount: () => store.count(),
    sendTestMail: (to) => sendTest({ clock, hosts, settings, writer, mailer }, to, stopping.signal),
    stop: async (giveUp) => {
      clearInterval(ticking);
      stopping.abort();
      await notifier.stop(giveUp);
    },
  };
}
