/** Checks of the shape of requests. Whether what they name exists is decided elsewhere. */
import { BusyError } from '../core/errors.js';

/** Throws INVALID_ARGUMENT when a field that must be given is empty. */
export function requireText(field: string, value: string): string {
  if (value === '') throw new BusyError('INVALID_ARGUMENT', { field, problem: 'must not be empty' });
  return value;
}

/** Throws INVALID_ARGUMENT when a number is negative. */
export function requireNotNegative(field: string, value: number): number {
  if (value < 0) throw new BusyError('INVALID_ARGUMENT', { field, problem: 'must not be negative' });
  return value;
}

/** Throws INVALID_ARGUMENT when a text is longer than `limit` characters. */
export function requireAtMost(field: string, value: string, limit: number): string {
  if (value.length <= limit) return value;
  throw new BusyError('INVALID_ARGUMENT', { field, problem: `must have at most ${limit} characters` });
}

/** In characters; as many as the database keeps. */
export const longestRequestId = 64;

/** Throws INVALID_ARGUMENT when a snapshot is named twice, by its name and by a time. */
export function refuseTimeBesideName(name: string, asOf: Date | undefined): void {
  if (name === '' || asOf === undefined) return;
  const problem = 'must not be given beside a name';
  const allowed = 'Give the name of a snapshot, or the time that is meant.';
  throw new BusyError('INVALID_ARGUMENT', { field: 'as_of', problem, allowed });
}
