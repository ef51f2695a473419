/** The tables of mail: `outbox`, `alert_states` and `mail_marks`. Their rows are plain objects. */
import { EntitySchema } from 'typeorm';
import type { AlertState } from '../core/alerts.js';
import type { OutboxMail } from '../core/mail.js';
import { time, wholeNumber } from './columns.js';

/** One row a mail that has not been sent. */
export const OutboxEntity = new EntitySchema<OutboxMail>({
  name: 'outbox_mail',
  tableName: 'outbox',
  columns: {
    id: { type: 'varchar', length: 26, primary: true },
    recipient: { type: 'varchar', length: 255 },
    subject: { type: 'varchar', length: 255 },
    text: { type: 'text' },
    createdAt: { name: 'created_at', type: 'bigint', transformer: time },
    attempts: { type: 'integer' },
    nextAttemptAt: { name: 'next_attempt_at', type: 'bigint', transformer: time },
  },
  indices: [{ name: 'outbox_next_attempt_at', columns: ['nextAttemptAt'] }],
});

/** One row a host. */
export const AlertStateEntity = new EntitySchema<AlertState>({
  name: 'alert_state',
  tableName: 'alert_states',
  columns: {
    host: { type: 'varchar', length: 255, primary: true },
    watchedSince: { name: 'watched_since', type: 'bigint', transformer: time },
    failingSince: { name: 'failing_since', type: 'bigint', nullable: true, transformer: time },
    failureCount: { name: 'failure_count', type: 'integer' },
    lastFailureAt: { name: 'last_failure_at', type: 'bigint', nullable: true, transformer: time },
    failureToldAt: { name: 'failure_told_at', type: 'bigint', nullable: true, transformer: time },
    untoldRunId: { name: 'untold_run_id', type: 'varchar', length: 26, nullable: true },
    heldToldAt: { name: 'held_told_at', type: 'bigint', nullable: true, transformer: time },
    archiveToldAt: { name: 'archive_told_at', type: 'bigint', nullable: true, transformer: time },
    overdueToldAt: { name: 'overdue_told_at', type: 'bigint', nullable: true, transformer: time },
    revision: { type: 'bigint', transformer: wholeNumber },
  },
});

/** A moment that must outlive a restart. */
export interface MailMark {
  readonly name: string;
  readonly at: Date;
}

export const MailMarkEntity = new EntitySchema<MailMark>({
  name: 'mail_mark',
  tableName: 'mail_marks',
  columns: {
    name: { type: 'varchar', length: 16, primary: true },
    at: { type: 'bigint', transformer: time },
  },
});
