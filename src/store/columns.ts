/**
 * How values are kept that databases disagree on. Times are whole milliseconds since 1970 in bigint columns: exact,
 * sortable, and without a time zone. Some drivers answer a bigint as text.
 */
import type { ValueTransformer } from 'typeorm';

type Stored = number | string | null;

export const time: ValueTransformer = {
  to: (value: unknown) => (value instanceof Date ? value.getTime() : value),
  from: (value: Stored) => (value === null ? null : new Date(Number(value))),
};

export const wholeNumber: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: Stored) => (value === null ? null : Number(value)),
};

export const yesNo: ValueTransformer = {
  to: (value: unknown) => (typeof value === 'boolean' ? Number(value) : value),
  from: (value: Stored) => Number(value) !== 0,
};

/** A list that rows of an older BUSY do not have. */
export const listOrNone: ValueTransformer = {
  to: (value: unknown) => value,
  from: (value: unknown) => value ?? [],
};
