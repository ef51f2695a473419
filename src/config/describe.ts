/** Shows the settings that are in effect, as a file that would bring about the same. */
import type { Config } from '../config.js';
import { formatDatabase } from '../core/database-address.js';
import { formatEndpoint, hostAndPort } from '../core/endpoint.js';
import type { Host } from '../core/host.js';
import type { AccessSettings, MailTransport, TlsSettings } from '../core/settings.js';
import { minFreeText, sizeText } from './sizes.js';
import { yamlText } from './yaml-text.js';

/**
 * YAML that `parseConfig` takes and that gives the same configuration, but for a password of the database that stands
 * in the file: secrets are only named by their files.
 */
export function describeConfig(config: Config): string {
  const { mail, log, scripts, database } = config;
  const daemon = {
    state_dir: config.stateDir,
    listen: config.listen.map(formatEndpoint),
    tls: config.tls ? tlsText(config.tls) : undefined,
    socket_group: config.socketGroup || undefined,
    socket_role: config.access.socketRole,
    certificates: certificatesOf(config.access),
    reflection: config.hasReflection,
    metrics_listen: config.metricsListen ? hostAndPort(config.metricsListen) : undefined,
    database: formatDatabase(database),
    mysql_password:
      database.kind === 'mysql' && database.passwordVariable !== ''
        ? `\${${database.passwordVariable}}`
        : undefined,
    mysql_password_file: (database.kind === 'mysql' && database.passwordFile) || undefined,
    takeover_after: durationText(config.takeoverAfterMs),
    keep_runs: config.keepRunsDays,
    max_running: config.maxRunning,
    max_running_per_disk: config.maxRunningPerDisk,
    executors: config.executors,
    nice: config.nice,
    confine: config.confine,
    reserve: sizeText(config.reserveBytes),
    trash_days: config.trashDays,
    stop_grace: durationText(config.stopGraceMs),
    log: {
      level: log.level,
      format: log.format,
      file: log.file ?? undefined,
      syslog: log.syslog ?? undefined,
    },
    mail: {
      from: mail.from,
      transport: transportText(mail.transport),
      sendmail: mail.sendmail,
      user: mail.user || undefined,
      password_file: mail.passwordFile || undefined,
      digest: mail.digest ?? undefined,
      digest_to: mail.digestTo,
    },
    scripts: {
      pre_backup: scripts.preBackup,
      post_backup: scripts.postBackup,
      pre_archive: scripts.preArchive,
      post_archive: scripts.postArchive,
      timeout: durationText(scripts.timeoutMs),
    },
  };
  const defaults = Object.keys(config.hostDefaults).length > 0 ? config.hostDefaults : undefined;
  return yamlText({ ...daemon, defaults, hosts: config.hosts.map(hostSettings) });
}

function hostSettings(host: Host): Record<string, unknown> {
  return {
    name: host.name,
    hostname: host.hostname || undefined,
    addresses: host.addresses,
    port: host.port,
    user: host.user,
    identity_file: host.identityFile,
    identity_passphrase_file: host.identityPassphraseFile || undefined,
    identity_agent: host.identityAgent || undefined,
    restore_identity_file: host.restoreIdentityFile || undefined,
    host_key: host.hostKey || undefined,
    initiator: host.initiator,
    backupdir: host.backupdir,
    min_free: minFreeText(host.minFree),
    quota: sizeText(host.quotaBytes),
    max_entries: host.maxEntries,
    rsync_memory: sizeText(host.rsyncMemoryBytes),
    srcdirs: host.srcdirs,
    excludes: host.excludes,
    volatile: host.volatile,
    rsync_opts: host.rsyncOpts,
    rsync_path: host.rsyncPath,
    bandwidth_limit: host.bandwidthLimit || 0,
    jobs_at_once: host.jobsAtOnce,
    connect_timeout: durationText(host.connectTimeoutMs),
    idle_timeout: durationText(host.idleTimeoutMs),
    timeout: durationText(host.timeoutMs),
    ...timeSettings(host),
    max_incr: host.maxIncr,
    max_age: host.maxAge,
    archivedir: host.archivedir || undefined,
    archive_schedule: host.archive.slots,
    archive_format: host.archive.format,
    archive_level: host.archive.level,
    archive_threads: host.archive.threads,
    archive_keep: host.archive.keep ?? {},
    archive_copy_to: host.archive.copyTo || undefined,
    max_age_full: host.maxAgeFull,
    max_age_incr: host.maxAgeIncr,
    keep: host.keep ?? {},
    max_shrink: host.gate.maxShrink,
    max_change: host.gate.maxChange,
    allow_empty: host.gate.allowEmpty,
    verify_every: host.verifyEvery,
    verify_schedule: host.verifySchedule,
    drill_schedule: host.drillSchedule,
    drill_sample: host.drillSample,
    drill_paths: host.drillPaths,
    drill_command: host.drillCommand,
    pre_command: host.preCommand || undefined,
    post_command: host.postCommand || undefined,
    command_timeout: durationText(host.commandTimeoutMs),
    email: host.mail.to,
    mail: host.mail.when,
    mail_partial: host.mail.includesPartial,
    mail_reminder: durationText(host.mail.reminderMs),
  };
}

function timeSettings({ schedule, windows, retryAfterMs, alertAfter }: Host): Record<string, unknown> {
  return {
    schedule: schedule.slots,
    time_zone: schedule.timeZone,
    catch_up: durationText(schedule.catchUpMs),
    jitter: durationText(schedule.jitterMs),
    windows,
    retry_after: durationText(retryAfterMs),
    alert_after: alertAfter,
  };
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const;

/** In the largest unit that leaves no rest, as `readDuration` takes it. */
function durationText(ms: number): string {
  const unit = ms === 0 ? undefined : units.find(([, factor]) => ms % factor === 0);
  return unit ? `${ms / unit[1]}${unit[0]}` : `${ms / 1000}s`;
}

function transportText(transport: MailTransport): string {
  if (transport.kind === 'sendmail') return 'sendmail';
  return `${transport.isTls ? 'smtps' : 'smtp'}://${hostAndPort(transport)}`;
}

function tlsText({ certFile, keyFile, clientCaFile }: TlsSettings): Record<string, unknown> {
  return { cert: certFile, key: keyFile, client_ca: clientCaFile || undefined };
}

function certificatesOf({ certificates }: AccessSettings): Record<string, unknown> | undefined {
  const users = Object.entries(certificates).map(([name, { role, hosts }]) => [
    name,
    { role, hosts: hosts ?? undefined },
  ]);
  return users.length === 0 ? undefined : Object.fromEntries(users);
}
