/** Settings of a host as texts that a form edits, and back: what each may hold comes from the contract itself. */
import { create, ScalarType, type DescField } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import {
  HostSettingsSchema,
  KeepSettingsSchema,
  StringListSchema,
  type HostSettings,
} from '../../../gen/busy/v1/host_settings_pb.js';

export type SettingKind = 'text' | 'whole' | 'decimal' | 'boolean' | 'list' | 'keep';

/** By the name of the setting; empty: it has no value of its own, so that the default holds. */
export type SettingTexts = Readonly<Record<string, string>>;

/** Why texts are no settings, by the name of the setting. */
export type SettingProblems = Readonly<Record<string, string>>;

/** An empty list hides that of the defaults, an empty text does not. */
export const emptyList = '[]';

export const settingKinds: Readonly<Record<string, SettingKind>> = Object.fromEntries(
  HostSettingsSchema.fields.map((field) => [field.name, kindOf(field)]),
);

/** Lists have a line for each entry, `keep` one for each kind: `daily: 7`. */
export function toTexts(settings: HostSettings | undefined): SettingTexts {
  if (!settings) return {};
  const message = reflect(HostSettingsSchema, settings);
  const set = HostSettingsSchema.fields.filter((field) => message.isSet(field));
  return Object.fromEntries(set.map((field) => [field.name, textOf(settings, field)]));
}

/** The settings that have a text, or what is wrong with some of them. */
export function fromTexts(
  texts: SettingTexts,
): { readonly settings: HostSettings } | { readonly problems: SettingProblems } {
  const problems: Record<string, string> = {};
  const settings = create(HostSettingsSchema);
  const values: Record<string, unknown> = {};
  for (const field of HostSettingsSchema.fields) {
    const text = (texts[field.name] ?? '').trim();
    if (text === '') continue;
    const value = readers[kindOf(field)](text);
    if (value instanceof Error) problems[field.name] = value.message;
    else values[field.localName] = value;
  }
  if (Object.keys(problems).length > 0) return { problems };
  return { settings: Object.assign(settings, values) };
}

/** The names of those that differ. */
export function changedNames(before: SettingTexts, after: SettingTexts): string[] {
  return HostSettingsSchema.fields
    .map(({ name }) => name)
    .filter((name) => (before[name] ?? '').trim() !== (after[name] ?? '').trim());
}

/** From the daemon's list of problems, one line each: `max_incr: is the number -1; allowed: ...`. */
export function problemsOf(list: string): SettingProblems {
  const found: Record<string, string> = {};
  for (const line of list.split('\n')) {
    const [, name = '', text = ''] = /^([a-z_]+)(?:[.[][^:]*)?: (.*)$/.exec(line) ?? [];
    if (name in settingKinds) found[name] = found[name] === undefined ? text : `${found[name]}; ${text}`;
  }
  return found;
}

function kindOf(field: DescField): SettingKind {
  if (field.fieldKind === 'message')
    return field.message.typeName === StringListSchema.typeName ? 'list' : 'keep';
  if (field.fieldKind !== 'scalar') return 'text';
  if (field.scalar === ScalarType.BOOL) return 'boolean';
  if (field.scalar === ScalarType.DOUBLE) return 'decimal';
  return field.scalar === ScalarType.INT32 ? 'whole' : 'text';
}

function textOf(settings: HostSettings, field: DescField): string {
  const value: unknown = settings[field.localName as keyof HostSettings];
  if (typeof value !== 'object' || value === null) return String(value);
  if ('values' in value) {
    const values = value.values as readonly string[];
    return values.length === 0 ? emptyList : values.join('\n');
  }
  const keep = value as Readonly<Record<string, unknown>>;
  const set = KeepSettingsSchema.fields
    .filter(({ localName }) => keep[localName] !== undefined)
    .map(({ name, localName }) => `${name}: ${Number(keep[localName])}`);
  return set.length === 0 ? emptyList : set.join('\n');
}

const readers: Readonly<Record<SettingKind, (text: string) => unknown>> = {
  text: (text) => text,
  whole: (text) => (/^-?\d{1,9}$/.test(text) ? Number(text) : new Error('is no whole number')),
  decimal: (text) => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : new Error('is no number')),
  boolean: (text) => text === 'true',
  list: (text) => create(StringListSchema, { values: text === emptyList ? [] : linesOf(text) }),
  keep: readKeep,
};

function readKeep(text: string): unknown {
  if (text === emptyList) return create(KeepSettingsSchema);
  const keep: Record<string, number> = {};
  for (const line of linesOf(text)) {
    const [, name = '', amount = ''] = /^(\w+)\s*[:=]\s*(\d{1,9})$/.exec(line) ?? [];
    if (!KeepSettingsSchema.fields.some((field) => field.name === name))
      return new Error(
        `has the line "${line}"; allowed: last, daily, weekly, monthly or yearly, such as "daily: 7"`,
      );
    keep[name] = Number(amount);
  }
  return create(KeepSettingsSchema, keep);
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
