/** Settings of a host as they stand on the command line: one word `setting=value` each. */
import { parse } from 'yaml';
import { HostSettings, KeepSettings } from '../../src/gen/busy/v1/host_settings.js';
import { usageError } from './cli-error.js';

type Kind = 'text' | 'whole' | 'decimal' | 'boolean' | 'list' | 'keep';

export interface SettingsChange {
  readonly settings: HostSettings;
  /** The names of all settings that were given; those without a value are to be removed. */
  readonly mask: string[];
}

/**
 * Reads words such as `max_incr=5`, `srcdirs=/etc,/home`, `windows=["sat,sun 00:00-24:00"]` and `excludes=` (no value:
 * the default). What a value may be is for the daemon to say. Throws a usage error.
 */
export function readSettingWords(words: readonly string[]): SettingsChange {
  const values = new Map<string, unknown>();
  for (const word of words) {
    const [, name = '', text = ''] = /^([^=]+)=(.*)$/s.exec(word) ?? [];
    if (name === '') throw usageError(`${JSON.stringify(word)} is not of the form SETTING=VALUE.`, example);
    const kind = kindOf.get(name);
    if (kind === undefined) throw unknownSetting(name);
    if (values.has(name)) throw usageError(`The setting ${name} is given twice.`, 'Give it once.');
    values.set(name, text === '' ? undefined : readers[kind](name, text));
  }
  const entries = [...values].map(([name, value]) => [toKey(name), value]);
  const settings = Object.fromEntries(entries) as Partial<HostSettings>;
  return { settings: HostSettings.fromPartial(settings), mask: [...values.keys()] };
}

/** The settings that have a value, as words that `readSettingWords` takes. */
export function toSettingWords(settings: HostSettings): string[] {
  const set = Object.entries(settings).filter(([, value]) => value !== undefined);
  return set.map(([key, value]) => `${toName(key)}=${valueText(value)}`);
}

const kinds: Readonly<Record<keyof HostSettings, Kind>> = {
  hostname: 'text',
  addresses: 'list',
  port: 'whole',
  user: 'text',
  identityFile: 'text',
  identityPassphraseFile: 'text',
  identityAgent: 'text',
  restoreIdentityFile: 'text',
  hostKey: 'text',
  backupdir: 'text',
  minFree: 'text',
  srcdirs: 'list',
  excludes: 'list',
  volatile: 'list',
  initiator: 'text',
  rsyncOpts: 'text',
  rsyncPath: 'text',
  bandwidthLimit: 'text',
  jobsAtOnce: 'whole',
  maxIncr: 'whole',
  maxAgeFull: 'decimal',
  maxAgeIncr: 'decimal',
  connectTimeout: 'text',
  idleTimeout: 'text',
  timeout: 'text',
  email: 'list',
  schedule: 'list',
  timeZone: 'text',
  catchUp: 'text',
  jitter: 'text',
  windows: 'list',
  retryAfter: 'text',
  alertAfter: 'decimal',
  mail: 'text',
  mailPartial: 'boolean',
  mailReminder: 'text',
  keep: 'keep',
  preCommand: 'text',
  postCommand: 'text',
  commandTimeout: 'text',
  maxAge: 'decimal',
  archivedir: 'text',
  archiveSchedule: 'list',
  archiveFormat: 'text',
  archiveLevel: 'whole',
  archiveThreads: 'whole',
  archiveKeep: 'keep',
  archiveCopyTo: 'text',
  maxShrink: 'decimal',
  maxChange: 'decimal',
  allowEmpty: 'boolean',
  verifyEvery: 'decimal',
  verifySchedule: 'list',
  drillSchedule: 'list',
  drillSample: 'whole',
  drillPaths: 'list',
  quota: 'text',
  maxEntries: 'whole',
  rsyncMemory: 'text',
};

const kindOf: ReadonlyMap<string, Kind> = new Map(
  Object.entries(kinds).map(([key, kind]) => [toName(key), kind]),
);

const readers: Readonly<Record<Kind, (name: string, text: string) => unknown>> = {
  text: (_, text) => text,
  whole: (name, text) => {
    const value = numberOf(text);
    // What does not fit into the message would be changed silently.
    if (!Number.isInteger(value) || Math.abs(value) >= 2 ** 31)
      throw wrongValue(name, text, 'a whole number');
    return value;
  },
  decimal: (name, text) => {
    if (!Number.isFinite(numberOf(text))) throw wrongValue(name, text, 'a number');
    return numberOf(text);
  },
  boolean: (name, text) => {
    if (text !== 'true' && text !== 'false') throw wrongValue(name, text, 'true or false');
    return text === 'true';
  },
  list: (name, text) => {
    if (!text.startsWith('[')) return { values: text.split(',').map((item) => item.trim()) };
    const items = parseYaml(text);
    const isGood = Array.isArray(items) && items.every((item) => ['string', 'number'].includes(typeof item));
    if (!isGood) throw wrongValue(name, text, 'a list such as a,b or ["a", "b"]');
    return { values: items.map(String) };
  },
  keep: (name, text) => {
    const rules = parseYaml(/^[{[]/.test(text) ? text : `{${text}}`);
    const isGood = Object.entries(rules ?? {}).every(
      ([rule, count]) => Object.hasOwn(KeepSettings.create(), rule) && Number.isInteger(count),
    );
    if (rules === null || !isGood) throw wrongValue(name, text, 'a map such as {daily: 7, weekly: 4}');
    return rules;
  },
};

/** Blanks are no zero. */
function numberOf(text: string): number {
  return text.trim() === '' ? NaN : Number(text);
}

/** Null for what is no YAML. */
function parseYaml(text: string): object | null {
  try {
    return parse(text, { logLevel: 'error' }) as object;
  } catch {
    return null;
  }
}

function valueText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if ('values' in value && Array.isArray(value.values)) {
    const { values } = value;
    const isPlain = values.length > 0 && values.every((item) => /^[^[,\s][^,]*$/.test(String(item)));
    return isPlain ? values.join(',') : JSON.stringify(values);
  }
  const rules = Object.entries(value).filter(([, count]) => count !== undefined);
  return `{${rules.map(([rule, count]) => `${rule}: ${count}`).join(', ')}}`;
}

const example = 'For example: max_incr=5 srcdirs=/etc,/home excludes=';

function wrongValue(name: string, text: string, allowed: string): Error {
  return usageError(`${name} is ${JSON.stringify(text)}.`, `Allowed is ${allowed}.`);
}

function unknownSetting(typed: string): Error {
  const names = [...kindOf.keys()];
  const near = names.find((name) => shortened(name).some((word) => shortened(typed).includes(word)));
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  return usageError(
    `A host has no setting ${JSON.stringify(typed)}.${hint}`,
    `The settings are: ${names.join(', ')}.`,
  );
}

/** A word, and all that it becomes without one of its letters: two with one of these in common differ by a slip. */
function shortened(word: string): string[] {
  const letters = Array.from(word.toLowerCase().replaceAll('-', '_'));
  return [letters.join(''), ...letters.map((_, index) => letters.toSpliced(index, 1).join(''))];
}

/** `maxIncr` is `max_incr` in the configuration file. */
function toName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toKey(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
