/** All settings as they hold for a host, in the words of the file: its own, else those of `defaults`, else BUSY's. */
import { join } from 'node:path';
import type { HostSettings as StoredSettings, SettingInEffect } from '../core/stored-host.js';
import { defaultRsyncOpts } from './hosts.js';
import { ownTimeZone } from './own-time-zone.js';
import { settingsOf, type HostSettings } from './schema.js';
import { allowedAt } from './schema-findings.js';

interface Place {
  readonly name: string;
  readonly stateDir: string;
  /** `defaults` of the file, as written there. */
  readonly defaults: StoredSettings;
}

type SettingName = Exclude<keyof HostSettings, 'name'>;

/** In the order in which the file explains them. */
export function settingsInEffect(
  own: StoredSettings,
  { name, stateDir, defaults }: Place,
): SettingInEffect[] {
  const builtIn: StoredSettings = {
    ...fixedDefaults,
    addresses: [own.hostname ?? defaults.hostname ?? name],
    identity_file: join(stateDir, 'keys', name),
    time_zone: ownTimeZone(),
  };
  const settings = Object.keys(settingsOf.host).filter((setting) => setting !== 'name');
  return settings.map((setting) => {
    const [value, source] = isSet(own, setting)
      ? [own[setting], 'host' as const]
      : isSet(defaults, setting)
        ? [defaults[setting], 'defaults' as const]
        : [builtIn[setting], 'built-in' as const];
    return { name: setting, values: textsOf(value), source, allowed: allowedAt(['hosts', 0, setting]) };
  });
}

/** What a setting is where nobody says anything; undefined: it has no value. A test compares it with `resolveHosts`. */
export const fixedDefaults: Readonly<
  Record<Exclude<SettingName, 'addresses' | 'identity_file' | 'time_zone'>, unknown>
> = {
  hostname: undefined,
  port: 22,
  user: 'root',
  identity_passphrase_file: undefined,
  identity_agent: undefined,
  restore_identity_file: undefined,
  host_key: undefined,
  backupdir: undefined,
  min_free: '1%',
  quota: '0',
  max_entries: 50_000_000,
  rsync_memory: '4G',
  srcdirs: undefined,
  excludes: [],
  volatile: [],
  initiator: 'server',
  rsync_opts: defaultRsyncOpts.join(' '),
  rsync_path: 'rsync',
  bandwidth_limit: undefined,
  max_shrink: 0.5,
  max_change: 0.8,
  allow_empty: false,
  jobs_at_once: 1,
  max_incr: 10,
  max_age: 30,
  archivedir: undefined,
  archive_format: 'tar.gz',
  archive_level: 0,
  archive_threads: 0,
  archive_copy_to: undefined,
  max_age_full: 7,
  max_age_incr: 1,
  connect_timeout: '10s',
  idle_timeout: '10m',
  pre_command: undefined,
  post_command: undefined,
  command_timeout: '10m',
  keep: {},
  archive_keep: {},
  archive_schedule: ['03:00'],
  email: [],
  schedule: [],
  catch_up: '1d',
  jitter: '0s',
  windows: [],
  verify_every: 30,
  verify_schedule: ['01:00-05:00'],
  drill_schedule: [],
  drill_sample: 100,
  drill_paths: [],
  drill_command: undefined,
  alert_after: 7,
  timeout: '1d',
  retry_after: '5m',
  mail: 'on_change',
  mail_partial: true,
  mail_reminder: '3d',
};

function isSet(settings: StoredSettings, name: string): boolean {
  return settings[name] !== undefined && settings[name] !== null;
}

function textsOf(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.map(String);
  if (typeof value === 'object') return Object.entries(value).map(([name, part]) => `${name}: ${part}`);
  return [typeof value === 'string' ? value : JSON.stringify(value)];
}
