/** How each setting of the original BUSY becomes one of ours, or is named as lost. */
import type { z } from 'zod';
import { defaultRsyncOpts } from './hosts.js';
import { type LibconfigGroup, type LibconfigSetting, type LibconfigValue } from './libconfig.js';
import { quoted } from './quoted.js';
import { findingsOfSchema } from './schema-findings.js';
import { settingsOf } from './schema.js';

export interface ConvertedSettings {
  /** Each passes the schema. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** What could not be carried over as it was, one sentence each. */
  readonly notes: readonly string[];
}

type HostKey = keyof typeof settingsOf.host;

interface Converted {
  readonly value?: unknown;
  readonly notes: readonly string[];
}

interface Rule {
  readonly key: HostKey;
  readonly convert: (value: LibconfigValue, key: HostKey) => Converted;
}

/** Converts what may stand in the defaults and in a host; `name` and `hostname` of the defaults mean nothing. */
export function convertSettings(group: LibconfigGroup, isDefaults: boolean): ConvertedSettings {
  const settings: Record<string, unknown> = {};
  const notes: string[] = [];
  for (const [name, setting] of group) {
    if (name === 'name' || (isDefaults && name === 'hostname')) continue;
    const rule = rules.get(name);
    const converted = rule ? rule.convert(setting.value, rule.key) : { notes: [lostNote] };
    if (rule && converted.value !== undefined) settings[rule.key] = converted.value;
    notes.push(...converted.notes.map((note) => noteAt(setting, `${name} ${note}`)));
  }
  return { settings, notes };
}

/** A note with its place in the original file. */
export function noteAt({ line }: Pick<LibconfigSetting, 'line'>, note: string): string {
  return `NOTE (line ${line}): ${note}`;
}

/** What is wrong with a value for one of our settings; null when nothing is. */
export function problemOf(value: unknown, key: HostKey): string | null {
  const checked = check(value, key);
  return 'wrong' in checked ? checked.wrong : null;
}

/** The settings of the original, and what they are called here. */
const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['backupdir', { key: 'backupdir', convert: asText }],
  ['hostname', { key: 'hostname', convert: asText }],
  ['ips', { key: 'addresses', convert: asList }],
  ['user', { key: 'user', convert: asText }],
  ['email', { key: 'email', convert: asList }],
  ['srcdirs', { key: 'srcdirs', convert: asList }],
  ['excludes', { key: 'excludes', convert: asList }],
  ['schedule', { key: 'schedule', convert: asList }],
  ['max_incr', { key: 'max_incr', convert: asNumber }],
  ['max_age', { key: 'max_age', convert: asNumber }],
  ['archivedir', { key: 'archivedir', convert: asText }],
  ['max_age_full', { key: 'max_age_full', convert: asNumber }],
  ['max_age_incr', { key: 'max_age_incr', convert: asNumber }],
  ['rsync_opts', { key: 'rsync_opts', convert: asRsyncOptions }],
]);

const lostNote = 'is no setting of the original BUSY and was left out';

/** Empty texts and the original's "None" mean: not set. */
function asText(value: LibconfigValue, key: HostKey): Converted {
  return value === '' || value === 'None' ? { notes: [] } : ifGood(value, key);
}

/** Tolerates numbers in quotes. */
function asNumber(value: LibconfigValue, key: HostKey): Converted {
  const isText = typeof value === 'string' && /^\s*[\d.]+\s*$/.test(value);
  return ifGood(isText ? Number(value) : value, key);
}

/** One text may hold several, with commas between them. What is wrong in a list is left out, the rest is kept. */
function asList(value: LibconfigValue, key: HostKey): Converted {
  const items = itemsOf(value);
  if (items === null) return { notes: [`is ${shown(value)}, not a list, and was left out`] };
  const good = new Set<unknown>();
  const notes: string[] = [];
  for (const item of items) {
    const checked = check([item], key);
    if ('wrong' in checked) notes.push(`has ${shown(item)}, which was left out: it ${checked.wrong}`);
    else for (const part of checked.value as unknown[]) good.add(part);
  }
  // An empty list in a host hides the one in the defaults, so it is kept; one that only became empty is not.
  const isMeant = good.size > 0 || items.length === 0;
  const list = isMeant ? ifGood([...good], key) : { notes: [] };
  return { ...list, notes: [...notes, ...list.notes] };
}

function itemsOf(value: LibconfigValue): readonly LibconfigValue[] | null {
  if (typeof value !== 'string') return Array.isArray(value) ? value : null;
  const items = value.split(/[,\n]/).map((item) => item.trim());
  return items.filter((item) => item !== '');
}

function asRsyncOptions(value: LibconfigValue, key: HostKey): Converted {
  const checked = check(value, key);
  if (!('wrong' in checked)) return { value, notes: [] };
  const options = defaultRsyncOpts.join(' ');
  return {
    value: options,
    notes: [`is ${shown(value)}, which ${checked.wrong}. Replaced by ${options}`],
  };
}

function ifGood(value: unknown, key: HostKey): Converted {
  const checked = check(value, key);
  if (!('wrong' in checked)) return { value, notes: [] };
  return { notes: [`${checked.wrong}; it was left out`] };
}

function check(value: unknown, key: HostKey): { readonly value: unknown } | { readonly wrong: string } {
  const schema: z.ZodType = settingsOf.host[key];
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return { value: parsed.data };
  const issues = parsed.error.issues.map((issue) => ({ ...issue, path: ['hosts', 0, key, ...issue.path] }));
  const findings = findingsOfSchema(issues);
  const wrong = findings.map((finding) => finding.wrong).join(', ');
  return { wrong: `${wrong} (allowed: ${findings[0]?.allowed ?? 'nothing'})` };
}

function shown(value: LibconfigValue): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a group of settings' : String(value);
}
