/** The own settings of a host: from the message of the contract to the words of the configuration file, and back. */
import { BusyError } from '../core/errors.js';
import type { HostSettings, SettingInEffect } from '../core/stored-host.js';
import {
  HostSettings as SettingsMessage,
  type SettingInEffect as InEffectMessage,
} from '../gen/busy/v1/host_settings.js';
import { settingSources } from './enums.js';

/** The names of all settings, as in the configuration file. */
export const settingNames: readonly string[] = Object.keys(SettingsMessage.create()).map(toName);

const listNames = [
  'addresses',
  'srcdirs',
  'excludes',
  'volatile',
  'email',
  'schedule',
  'windows',
  'verify_schedule',
  'archive_schedule',
  'drill_schedule',
  'drill_paths',
];

const hiddenCommand = '(set; shown to admins only)';

/** The settings that have a value. */
export function fromSettingsMessage(message: SettingsMessage | undefined): HostSettings {
  const set = Object.entries(message ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set.map(([key, value]) => [toName(key), fromValue(toName(key), value)]));
}

export function toSettingsMessage(settings: HostSettings): SettingsMessage {
  const entries = Object.entries(settings).map(([name, value]) => {
    return [toKey(name), listNames.includes(name) ? { values: [value].flat() } : value];
  });
  return SettingsMessage.fromPartial(Object.fromEntries(entries) as Partial<SettingsMessage>);
}

export function toInEffectMessage({ source, ...setting }: SettingInEffect): InEffectMessage {
  return { ...setting, values: [...setting.values], source: settingSources[source] };
}

/** Command lines may hold passwords: whoever may not change them sees only that there is one. */
export function withoutCommands(settings: HostSettings): HostSettings {
  const entries = Object.entries(settings).map(([name, value]) => [
    name,
    name === 'pre_command' || name === 'post_command' ? hiddenCommand : value,
  ]);
  return Object.fromEntries(entries) as HostSettings;
}

/** The same of a setting in effect. */
export function withoutCommand(setting: SettingInEffect): SettingInEffect {
  const isCommand = setting.name.endsWith('_command') && setting.values.length > 0;
  return isCommand ? { ...setting, values: [hiddenCommand] } : setting;
}

/** The settings that an update is about. Throws INVALID_ARGUMENT when one of them does not exist, or none is named. */
export function readMask(mask: readonly string[] | undefined, settings: HostSettings): readonly string[] {
  const named = mask && mask.length > 0 ? mask : Object.keys(settings);
  if (named.length === 1 && named[0] === '*') return named;
  const unknown = named.find((name) => !settingNames.includes(name));
  if (unknown !== undefined) throw refuse(`${JSON.stringify(unknown)} is no setting of a host`);
  if (named.length === 0) throw refuse('nothing is to be changed');
  return named;
}

function refuse(problem: string): BusyError {
  const allowed = `The settings are: ${settingNames.join(', ')}.`;
  return new BusyError('INVALID_ARGUMENT', { field: 'update_mask', problem, allowed });
}

function fromValue(name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (!('values' in value))
    return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined));
  // In the file, this word stands alone.
  const isNever =
    ['schedule', 'archive_schedule'].includes(name) &&
    Array.isArray(value.values) &&
    value.values.join() === 'never';
  return isNever ? 'never' : value.values;
}

/** `maxIncr` is `max_incr` in the file. */
function toName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function toKey(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
