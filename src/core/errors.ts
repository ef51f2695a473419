/**
 * Every error that a user can meet. An error is a stable reason and facts; its sentence and its advice are built
 * here, in one place, so that the log, the API and the command line say the same. Facts never hold secrets.
 */
import { sentences } from './error-sentences.js';
import type { ErrorStatus } from './sentence.js';

export type Reason = keyof typeof sentences;
export type Facts = Readonly<Record<string, string>>;

/** An error as plain data: it crosses process borders and is kept in the database. */
export interface Failure {
  readonly reason: Reason;
  readonly message: string;
  readonly advice: string;
}

/** Thrown for everything that a user may be told. Anything else that is thrown is a defect of ours. */
export class BusyError extends Error {
  readonly reason: Reason;
  readonly facts: Facts;

  constructor(reason: Reason, facts: Facts = {}, options?: { cause?: unknown }) {
    super(sentences[reason].message(facts), options);
    this.name = 'BusyError';
    this.reason = reason;
    this.facts = facts;
  }

  get advice(): string {
    return sentences[this.reason].advice(this.facts);
  }

  /** The kind of error for a caller of the API. */
  get status(): ErrorStatus {
    return sentences[this.reason].status;
  }

  toFailure(): Failure {
    return { reason: this.reason, message: this.message, advice: this.advice };
  }
}

/** Whether the database could not be reached, so that the same may be tried again when it is back. */
export function isDatabaseAway(error: unknown): boolean {
  return error instanceof BusyError && error.reason === 'DATABASE_UNAVAILABLE';
}

/** Makes a failure of anything that was thrown; what is not a BusyError becomes INTERNAL with its message. */
export function toFailure(error: unknown): Failure {
  return toBusyError(error).toFailure();
}

export function toBusyError(error: unknown): BusyError {
  if (error instanceof BusyError) return error;
  const what = error instanceof Error ? error.message : String(error);
  return new BusyError('INTERNAL', { what }, { cause: error });
}
