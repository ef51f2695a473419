/** Shorter ways in which a setting may be written: each turns what stands in the file into the form of the schema. */
import { z } from 'zod';
import { splitWords } from './values.js';

/** A section whose settings are all commented out has no value. */
export function nothingAs(empty: object) {
  return (value: unknown): unknown => value ?? empty;
}

export function numberAsText(value: unknown): unknown {
  return typeof value === 'number' ? String(value) : value;
}

export function textAsList(value: unknown): unknown {
  return typeof value === 'string' ? [value] : value;
}

export function slotsAsList(value: unknown): unknown {
  return value === 'never' ? value : textAsList(value);
}

export function textAsWords(value: unknown, context: z.RefinementCtx): unknown {
  if (typeof value !== 'string') return value;
  const words = splitWords(value);
  if (words === null) context.addIssue({ code: 'custom', message: 'has a quote that is not closed' });
  return words ?? z.NEVER;
}
