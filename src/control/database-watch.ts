/**
 * Knows whether the database is there: from what every access to it meets, and by asking again and again. Tells it
 * once when it goes away and once when it is back; that is only when what was kept for it has been written.
 */
import type { BusyError } from '../core/errors.js';
import type { Clock } from '../core/ports.js';

export interface DatabaseWatchParts {
  readonly clock: Clock;
  readonly log: DatabaseLog;
}

/** The part of a logger that is needed here; the logger of winston fits. */
export interface DatabaseLog {
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  error(message: string, fields: Readonly<Record<string, unknown>>): void;
}

const questionEveryMs = 10_000;
const firstRetryMs = 1000;
const longestRetryMs = 30_000;

export class DatabaseWatch {
  private since: Date | null = null;
  private readonly listeners = new Set<(isAway: boolean) => void>();
  private ask: (() => Promise<void>) | null = null;
  private asking: Promise<void> | null = null;
  private questions = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly parts: DatabaseWatchParts) {}

  /** Since when the database is away; null while it is there. */
  get unavailableSince(): Date | null {
    return this.since;
  }

  /** Takes the outcome of an access to the database. */
  readonly note = (away: BusyError | null): void => {
    if (away && this.since === null) this.goAway(away);
    else if (!away && this.since !== null) this.askNow();
  };

  /** Calls `listener` at each change, which must not throw. */
  onChange(listener: (isAway: boolean) => void): void {
    this.listeners.add(listener);
  }

  /** Asks from now on. `ask` writes what was kept for the database and throws while that is not possible. */
  start(ask: () => Promise<void>): void {
    this.ask = ask;
    this.askLater();
  }

  /** Settles when no question is under way. */
  async stop(): Promise<void> {
    this.ask = null;
    clearTimeout(this.timer);
    await this.asking;
  }

  private goAway(error: BusyError): void {
    this.since = this.parts.clock.now();
    this.questions = 0;
    const { database, detail } = error.facts;
    this.parts.log.error('the database is away; backups that run go on and are recorded when it is back', {
      database,
      why: detail,
    });
    this.tell(true);
    this.askLater();
  }

  private comeBack(since: Date): void {
    const awaySeconds = Math.round((this.parts.clock.now().getTime() - since.getTime()) / 1000);
    this.since = null;
    this.parts.log.info('the database is back', { awaySeconds });
    this.tell(false);
  }

  private tell(isAway: boolean): void {
    for (const listener of this.listeners) listener(isAway);
  }

  private askLater(): void {
    clearTimeout(this.timer);
    if (this.ask === null) return;
    const retryMs = Math.min(firstRetryMs * 2 ** this.questions, longestRetryMs);
    this.timer = setTimeout(() => this.askNow(), this.since === null ? questionEveryMs : retryMs);
    // A question that nobody waits for must not keep a process alive.
    this.timer.unref();
  }

  private askNow(): void {
    const { ask } = this;
    if (ask === null || this.asking) return;
    this.questions += 1;
    this.asking = this.hear(ask).finally(() => {
      this.asking = null;
      this.askLater();
    });
  }

  private async hear(ask: () => Promise<void>): Promise<void> {
    const { since } = this;
    try {
      await ask();
      if (since !== null && this.since === since) this.comeBack(since);
    } catch {
      // Whoever asked has noted why.
    }
  }
}
