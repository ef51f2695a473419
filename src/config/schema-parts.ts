/** What the settings of the configuration file are made of. */
import { z } from 'zod';
import { roles } from '../core/caller.js';
import { quoted } from './quoted.js';
import { nothingAs, numberAsText, textAsList } from './shorthands.js';
import { readWindow } from './unattended-values.js';
import { readAbsolutePath, readDuration, readHostName, type Reading } from './values.js';

/** Seven days: timers of Node end at about 24. */
export const longestMs = 7 * 86_400_000;

/** What a setting may be, in words. */
export const allowedValues = z.registry<{ allowed: string }>();

export function allow<S extends z.ZodType>(words: string, schema: S): S {
  allowedValues.add(schema, { allowed: words });
  return schema;
}

export function text<T>(read: (text: string) => Reading<T>) {
  return z.string().transform((value, context): T => {
    const reading = read(value);
    if ('value' in reading) return reading.value;
    context.addIssue({ code: 'custom', message: reading.wrong });
    return z.NEVER;
  });
}

/** No problem may show what was written. */
export function secret() {
  return z.unknown().transform((value, context): string => {
    if (typeof value === 'string' && value !== '') return value;
    context.addIssue({ code: 'custom', message: value === '' ? 'is empty' : 'is not a text' });
    return z.NEVER;
  });
}

export function whole(min: number, max: number) {
  return allow(`a whole number from ${min} to ${max}`, z.int().min(min).max(max));
}

export function share() {
  return allow('a share from 0 to 1, such as 0.5; 1 for no limit', z.number().min(0).max(1));
}

export function days() {
  return allow('a number of days from 0 to 36500, also with decimals', z.number().min(0).max(36_500));
}

export function windows() {
  return allow(
    'a list of windows such as "22:00-06:00" or "sat,sun 00:00-24:00"',
    z.preprocess(textAsList, z.array(text(readWindow))),
  );
}

export function duration(words: string, isInRange: (ms: number) => boolean) {
  const read = (value: string): Reading<number> => {
    const reading = readDuration(value);
    if ('wrong' in reading || isInRange(reading.value)) return reading;
    return { wrong: `is ${quoted(value)}, which is out of range` };
  };
  return allow(`${words} (s, m, h, d; seconds without unit)`, z.preprocess(numberAsText, text(read)));
}

export function upToOneDay() {
  return duration('a duration from 1s to 1d', (ms) => ms >= 1000 && ms <= 86_400_000);
}

export function scriptPath() {
  return allow('the absolute path of a script', text(readAbsolutePath));
}

export function role() {
  return allow('viewer, operator or admin', z.enum(roles));
}

/** By the names in the certificates of clients. */
export function certificates() {
  const user = z.strictObject({
    role: z.enum(roles),
    hosts: z.preprocess(textAsList, z.array(text(readHostName)).min(1)).optional(),
  });
  return allow(
    'a map from the name in a certificate (its CN) to its role (viewer, operator, admin) and maybe hosts, such as alice: { role: operator, hosts: [web1] }',
    z.preprocess(nothingAs({}), z.record(z.string().min(1), user)),
  );
}
