/** What an entry of the catalogue of reasons is made of. */
type Facts = Readonly<Record<string, string>>;

/** The kind of an error for a caller, named as the gRPC status codes. */
export type ErrorStatus =
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'INVALID_ARGUMENT'
  | 'FAILED_PRECONDITION'
  | 'ABORTED'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'RESOURCE_EXHAUSTED'
  | 'DEADLINE_EXCEEDED'
  | 'OUT_OF_RANGE'
  | 'UNAVAILABLE'
  | 'INTERNAL';

export interface Sentence {
  readonly status: ErrorStatus;
  /** What happened, and to what. */
  message(facts: Facts): string;
  /** What to do next. */
  advice(facts: Facts): string;
}

export function says(
  status: ErrorStatus,
  message: (f: Facts) => string,
  advice: (f: Facts) => string,
): Sentence {
  return { status, message, advice };
}
