/** Completes the hosts of the configuration with the defaults, and checks what concerns more than one setting. */
import { join } from 'node:path';
import type { Host, KeepRules } from '../core/host.js';
import { ownTimeZone } from './own-time-zone.js';
import type { Finding } from './problems.js';
import { quoted } from './quoted.js';
import { allowedAt } from './schema-findings.js';
import type { FileSettings, HostSettings } from './schema.js';

/** What rsync is told when the configuration says nothing. */
export const defaultRsyncOpts: readonly string[] = ['-aHAXS', '--numeric-ids'];

/** The hosts with all their settings: the host's own, else those of `defaults`, else those of BUSY. */
export function resolveHosts(settings: FileSettings, stateDir: string): Host[] {
  return (settings.hosts ?? []).map((host) => resolveHost({ ...settings.defaults, ...host }, stateDir));
}

/**
 * Names that stand there twice and required settings that stand nowhere. Looks at the file as it was written, so
 * that these are found together with all other problems.
 */
export function checkHosts(data: unknown): Finding[] {
  const file = asMap(data);
  const defaults = asMap(file.defaults);
  const hosts = (Array.isArray(file.hosts) ? file.hosts : []).map(asMap);
  return hosts.flatMap((host, index) => [
    ...repeatedName(hosts, index),
    ...requiredSettings
      .filter((setting) => host[setting] === undefined && defaults[setting] === undefined)
      .map((setting) => missing(['hosts', index], setting)),
  ]);
}

const requiredSettings = ['backupdir', 'srcdirs'] as const;

function repeatedName(hosts: readonly Readonly<Record<string, unknown>>[], index: number): Finding[] {
  const name = hosts[index]?.name;
  const isRepeated = typeof name === 'string' && hosts.findIndex((other) => other.name === name) < index;
  if (!isRepeated) return [];
  return [
    {
      path: ['hosts', index, 'name'],
      wrong: `is ${quoted(name)}, as another host is called`,
      allowed: 'a name that no other host has',
    },
  ];
}

function missing(path: readonly PropertyKey[], setting: string): Finding {
  return {
    path: [...path, setting],
    wrong: 'is missing, here and in defaults',
    allowed: allowedAt([...path, setting]),
  };
}

function asMap(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** Rules that are not named keep nothing; a keep without any rule (a host that takes back the default) keeps all. */
function keepRules(keep: HostSettings['keep']): KeepRules | null {
  if (keep === undefined || Object.keys(keep).length === 0) return null;
  const { last = 0, daily = 0, weekly = 0, monthly = 0, yearly = 0 } = keep;
  return { last, daily, weekly, monthly, yearly };
}

function resolveHost(settings: HostSettings, stateDir: string): Host {
  const hostname = settings.hostname ?? '';
  return {
    name: settings.name,
    hostname,
    addresses: settings.addresses ?? [settings.hostname ?? settings.name],
    port: settings.port ?? 22,
    user: settings.user ?? 'root',
    identityFile: settings.identity_file ?? join(stateDir, 'keys', settings.name),
    identityPassphraseFile: settings.identity_passphrase_file ?? '',
    identityAgent: settings.identity_agent ?? '',
    restoreIdentityFile: settings.restore_identity_file ?? '',
    hostKey: settings.host_key ?? '',
    backupdir: settings.backupdir ?? '',
    minFree: settings.min_free ?? { unit: 'percent', amount: 1 },
    quotaBytes: settings.quota ?? 0,
    maxEntries: settings.max_entries ?? 50_000_000,
    rsyncMemoryBytes: settings.rsync_memory ?? 4 * 1024 ** 3,
    srcdirs: settings.srcdirs ?? [],
    excludes: settings.excludes ?? [],
    volatile: settings.volatile ?? [],
    initiator: settings.initiator ?? 'server',
    rsyncOpts: settings.rsync_opts ?? defaultRsyncOpts,
    rsyncPath: settings.rsync_path ?? ['rsync'],
    bandwidthLimit: settings.bandwidth_limit ?? '',
    jobsAtOnce: settings.jobs_at_once ?? 1,
    maxIncr: settings.max_incr ?? 10,
    maxAge: settings.max_age ?? 30,
    archivedir: settings.archivedir ?? '',
    archive: {
      slots: settings.archive_schedule ?? ['03:00'],
      format: settings.archive_format ?? 'tar.gz',
      level: settings.archive_level ?? 0,
      threads: settings.archive_threads ?? 0,
      keep: keepRules(settings.archive_keep),
      copyTo: settings.archive_copy_to ?? '',
    },
    maxAgeFull: settings.max_age_full ?? 7,
    maxAgeIncr: settings.max_age_incr ?? 1,
    connectTimeoutMs: settings.connect_timeout ?? 10_000,
    idleTimeoutMs: settings.idle_timeout ?? 600_000,
    timeoutMs: settings.timeout ?? 86_400_000,
    schedule: {
      slots: settings.schedule ?? [],
      timeZone: settings.time_zone ?? ownTimeZone(),
      catchUpMs: settings.catch_up ?? 86_400_000,
      jitterMs: settings.jitter ?? 0,
    },
    windows: settings.windows ?? [],
    retryAfterMs: settings.retry_after ?? 300_000,
    alertAfter: settings.alert_after ?? 7,
    verifyEvery: settings.verify_every ?? 30,
    verifySchedule: settings.verify_schedule ?? ['01:00-05:00'],
    drillSchedule: settings.drill_schedule ?? [],
    drillSample: settings.drill_sample ?? 100,
    drillPaths: settings.drill_paths ?? [],
    drillCommand: settings.drill_command ?? [],
    preCommand: settings.pre_command ?? '',
    postCommand: settings.post_command ?? '',
    commandTimeoutMs: settings.command_timeout ?? 600_000,
    keep: keepRules(settings.keep),
    gate: {
      maxShrink: settings.max_shrink ?? 0.5,
      maxChange: settings.max_change ?? 0.8,
      allowEmpty: settings.allow_empty ?? false,
    },
    mail: {
      to: settings.email ?? [],
      when: settings.mail ?? 'on_change',
      includesPartial: settings.mail_partial ?? true,
      reminderMs: settings.mail_reminder ?? 259_200_000,
    },
  };
}
