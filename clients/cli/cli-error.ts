import { ServerAddressError } from '../server-address.js';

/** What a command can end with instead of an answer; `exit-codes.ts` says which exit code each kind has. */
export type ErrorKind = 'refused' | 'no-connection' | 'not-allowed' | 'usage' | 'interrupted' | 'unexpected';

export interface ErrorFacts {
  readonly kind: ErrorKind;
  /** Stable, UPPER_SNAKE_CASE. */
  readonly reason: string;
  /** What happened, and to what. */
  readonly message: string;
  /** What to do next; empty when there is nothing. */
  readonly advice: string;
  /** The name of the gRPC status code. */
  readonly code: string;
}

/** Thrown for everything that is reported to the user. */
export class CliError extends Error {
  readonly kind: ErrorKind;
  readonly reason: string;
  readonly advice: string;
  readonly code: string;

  constructor(facts: ErrorFacts, options?: { cause?: unknown }) {
    super(facts.message, options);
    this.name = 'CliError';
    this.kind = facts.kind;
    this.reason = facts.reason;
    this.advice = facts.advice;
    this.code = facts.code;
  }
}

/** Wrong usage: an argument or option that cannot be. */
export function usageError(message: string, advice: string): CliError {
  return new CliError({ kind: 'usage', reason: 'WRONG_USAGE', message, advice, code: 'INVALID_ARGUMENT' });
}

/** Makes an error for the user of anything that was thrown; what is not a CliError is a defect of ours. */
export function toCliError(error: unknown): CliError {
  if (error instanceof CliError) return error;
  if (error instanceof ServerAddressError) return usageError(error.message, error.advice);
  const what = error instanceof Error ? error.message : String(error);
  return new CliError(
    {
      kind: 'unexpected',
      reason: 'INTERNAL',
      message: `Unexpected: ${what}`,
      advice: 'This is a defect in the command line client of BUSY.',
      code: 'INTERNAL',
    },
    { cause: error },
  );
}

/** Whether the daemon went away, so that a stream may be taken up again later. */
export function isConnectionLoss(error: unknown): boolean {
  return error instanceof CliError && (error.kind === 'no-connection' || error.reason === 'DAEMON_STOPPING');
}
