/**
 * Sends the mails that wait in the store, one after the other, beside everything else. A mail stays there until it
 * was sent; one whose attempt failed waits longer each time and is given up after a week. When the daemon dies while
 * a mail is handed over nobody knows whether it went out: it is sent again, under the same Message-ID.
 */
import { isDatabaseAway, toBusyError } from '../core/errors.js';
import { isGivenUp, retryDelayMs, type Mailer, type OutboxMail, type OutboxStore } from '../core/mail.js';
import type { Clock } from '../core/ports.js';

/** The part of a logger that is needed here; the logger of winston fits. */
export interface MailLog {
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
  error(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface OutboxParts {
  readonly clock: Clock;
  readonly store: Pick<OutboxStore, 'due' | 'postpone' | 'remove'>;
  readonly mailer: Mailer;
  readonly log: MailLog;
  /** Of daemons that share the outbox one sends, so that no mail goes out twice. */
  readonly isPostman: () => boolean;
}

export class Outbox {
  private readonly stopping = new AbortController();
  /** Mails that were sent and could not be removed yet. */
  private readonly sent = new Set<string>();
  private pass: Promise<void> | null = null;
  private isWanted = false;
  private isStopped = false;

  constructor(private readonly parts: OutboxParts) {}

  /** Sends what is due, in the background. */
  wake(): void {
    this.isWanted = true;
    this.pass ??= this.work().finally(() => (this.pass = null));
  }

  /** Settles when nothing is being sent. */
  async idle(): Promise<void> {
    while (this.pass !== null) await this.pass;
  }

  /** Starts no further mail. The one that is being sent may end until `giveUp` is aborted. */
  async stop(giveUp: AbortSignal): Promise<void> {
    this.isStopped = true;
    const abort = (): void => this.stopping.abort();
    if (giveUp.aborted) abort();
    giveUp.addEventListener('abort', abort, { once: true });
    await this.idle();
    giveUp.removeEventListener('abort', abort);
  }

  private async work(): Promise<void> {
    while (this.isWanted && !this.isStopped) {
      this.isWanted = false;
      try {
        await this.sendDue();
      } catch (error) {
        // That the database is away is told by its watch.
        if (!isDatabaseAway(error))
          this.parts.log.error('the outbox of mails cannot be used; it is tried again', { error });
      }
    }
  }

  private async sendDue(): Promise<void> {
    const { store, clock } = this.parts;
    for (;;) {
      const mails = this.parts.isPostman() ? await store.due(clock.now()) : [];
      if (mails.length === 0) return;
      for (const mail of mails) {
        if (this.isStopped) return;
        await this.deliver(mail);
      }
    }
  }

  private async deliver(mail: OutboxMail): Promise<void> {
    const { mailer, store, log } = this.parts;
    const { id, recipient, subject } = mail;
    if (!this.sent.has(id)) {
      try {
        await mailer.send(mail, this.stopping.signal);
      } catch (error) {
        if (!this.stopping.signal.aborted) await this.keepOrGiveUp(mail, toBusyError(error).message);
        return;
      }
      this.sent.add(id);
      log.info('mail sent', { mail: id, recipient, subject });
    }
    await store.remove(id);
    this.sent.delete(id);
  }

  private async keepOrGiveUp(mail: OutboxMail, why: string): Promise<void> {
    const { store, clock, log } = this.parts;
    const now = clock.now();
    const attempts = mail.attempts + 1;
    const { id, recipient, subject } = mail;
    if (isGivenUp(mail, now)) {
      await store.remove(id);
      log.error('a mail was given up', { mail: id, recipient, subject, attempts, why });
      return;
    }
    const nextAttemptAt = new Date(now.getTime() + retryDelayMs(attempts));
    await store.postpone(id, attempts, nextAttemptAt);
    log.warn('a mail could not be sent; it is kept', { mail: id, recipient, attempts, nextAttemptAt, why });
  }
}
