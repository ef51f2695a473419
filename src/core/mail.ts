/**
 * Mails from the moment they are written to the moment they are sent: plain data, the ports that keep, write and
 * send them, and when the next attempt is made. Each mail has one recipient, so an attempt that is repeated never
 * reaches anyone a second time.
 */
import type { Alert, AlertState } from './alerts.js';
import type { RunRecord } from './run.js';
import type { SnapshotRecord } from './snapshot.js';

export interface MailText {
  readonly subject: string;
  readonly text: string;
}

export interface Mail extends MailText {
  /** A ULID; the mail keeps it over all attempts, as its Message-ID. */
  readonly id: string;
  readonly recipient: string;
  readonly createdAt: Date;
}

/** A mail that has not been sent yet. */
export interface OutboxMail extends Mail {
  /** Attempts that failed. */
  readonly attempts: number;
  readonly nextAttemptAt: Date;
}

/** Mails that wait, and what was told of each host. Nothing of it is lost by a restart. */
export interface OutboxStore {
  alertStates(): Promise<AlertState[]>;
  /** Keeps a host's alert state and the mails that it called for: both or neither. */
  recordAlert(state: AlertState, mails: readonly Mail[]): Promise<void>;
  /** When the newest digest was due, or null before the first. */
  digestMark(): Promise<Date | null>;
  /** Keeps the mark and the mails of a digest: both or neither. */
  recordDigest(mark: Date, mails: readonly Mail[]): Promise<void>;
  /** Mails whose next attempt is due, oldest first. */
  due(now: Date): Promise<OutboxMail[]>;
  /** How many mails wait, whether they are due or not. */
  count(): Promise<number>;
  postpone(id: string, attempts: number, nextAttemptAt: Date): Promise<void>;
  /** Removes a mail that was sent or given up. */
  remove(id: string): Promise<void>;
}

/** Hands mails over to what delivers them. */
export interface Mailer {
  /** Throws MAIL_FAILED, also when the signal is aborted; the mail may then be tried again. */
  send(mail: Mail, signal: AbortSignal): Promise<void>;
}

/** What is known of a host when a mail about it is written. */
export interface AlertFacts {
  readonly alert: Alert;
  readonly host: string;
  /** Days without a snapshot after which the host is overdue. */
  readonly alertAfter: number;
  /** The run that the alert tells of; null when there is none. */
  readonly run: RunRecord | null;
  readonly newestSnapshot: SnapshotRecord | null;
  /** The last lines of the run's log; empty when there is no run or no log. */
  readonly logLines: readonly string[];
  readonly now: Date;
}

/** A host in the digest. */
export interface DigestEntry {
  readonly host: string;
  readonly state: AlertState;
  readonly newestSnapshot: SnapshotRecord | null;
}

/** Puts facts into words. */
export interface MailWriter {
  alert(facts: AlertFacts): MailText;
  digest(entries: readonly DigestEntry[], now: Date): MailText;
  test(now: Date): MailText;
}

const firstDelayMs = 60_000;
const longestDelayMs = 3_600_000;
const giveUpAfterMs = 7 * 86_400_000;

/** How long after its failed attempt number `attempts` (from 1) a mail waits for the next, in milliseconds. */
export function retryDelayMs(attempts: number): number {
  return Math.min(longestDelayMs, firstDelayMs * 2 ** (attempts - 1));
}

/** Whether a mail whose attempt has just failed is too old for another. */
export function isGivenUp(mail: Mail, now: Date): boolean {
  return now.getTime() - mail.createdAt.getTime() >= giveUpAfterMs;
}
