/**
 * The settings of the configuration file and what each may be. The words of what is allowed stand beside each
 * setting; they end up in the problems that a user reads.
 */
import { z } from 'zod';
import { confineModes } from '../core/confinement.js';
import { readDatabase, readEndpoint, readLoopback } from './addresses.js';
import { readHostKey } from './host-key.js';
import {
  readMailAddress,
  readMailTransport,
  readSlot,
  readTimeOfDay,
  readTimeZone,
} from './unattended-values.js';
import { refuseKeepOfNothing, refuseOptions, refuseRepeats } from './refusals.js';
import {
  allow,
  text,
  secret,
  whole,
  share,
  days,
  windows,
  duration,
  upToOneDay,
  scriptPath,
  role,
  certificates,
  longestMs,
} from './schema-parts.js';
import { readMinFree, readQuota, readReserve, readRsyncMemory } from './sizes.js';
import { nothingAs, numberAsText, slotsAsList, textAsList, textAsWords } from './shorthands.js';
import {
  readAbsolutePath,
  readAddress,
  readBandwidth,
  readCommandLine,
  readCommandWord,
  readHostName,
  readHostname,
  readPattern,
  readUser,
} from './values.js';

const hostFields = {
  hostname: allow('what `hostname` prints on the host', text(readHostname)),
  addresses: allow('a list of one or more names or IP addresses', z.array(text(readAddress)).min(1)),
  port: whole(1, 65_535),
  user: allow('the name of a user on the host', text(readUser)),
  identity_file: allow('the absolute path of a private key file', text(readAbsolutePath)),
  identity_passphrase_file: allow('the absolute path of a file with a passphrase', text(readAbsolutePath)),
  identity_agent: allow(
    'the absolute path of the socket of an ssh-agent, or SSH_AUTH_SOCK',
    z.union([z.literal('SSH_AUTH_SOCK'), text(readAbsolutePath)]),
  ),
  restore_identity_file: allow('the absolute path of a private key file', text(readAbsolutePath)),
  host_key: allow(
    'the public key of the host as in its /etc/ssh/ssh_host_ed25519_key.pub, or its SHA256:... fingerprint',
    text(readHostKey),
  ),
  backupdir: allow('an absolute directory on the server', text(readAbsolutePath)),
  min_free: allow(
    'a size such as 500M, 10G or 1T, a share of the disk such as 5% (at most 90%), or 0',
    z.preprocess(numberAsText, text(readMinFree)),
  ),
  quota: allow(
    'a size such as 500M, 10G or 1T, or 0 for no limit',
    z.preprocess(numberAsText, text(readQuota)),
  ),
  max_entries: whole(0, 2_000_000_000),
  rsync_memory: allow(
    'a size from 256M on, such as 4G, or 0 for no limit',
    z.preprocess(numberAsText, text(readRsyncMemory)),
  ),
  srcdirs: allow(
    'a list of one or more different absolute directories on the host',
    z.array(text(readAbsolutePath)).min(1).superRefine(refuseRepeats),
  ),
  excludes: allow('a list of patterns in the syntax of rsync', z.array(text(readPattern))),
  volatile: allow('a list of patterns in the syntax of rsync', z.array(text(readPattern))),
  initiator: allow('server or client', z.enum(['server', 'client'])),
  rsync_opts: allow(
    'options of rsync that say what is copied and what is kept of it, such as -aHAXS --numeric-ids',
    z.preprocess(textAsWords, z.array(z.string()).superRefine(refuseOptions)),
  ),
  rsync_path: allow(
    'a command of words of letters, digits and _ . / = @ % + , - such as sudo /usr/bin/rsync',
    z.preprocess(textAsWords, z.array(text(readCommandWord)).min(1)),
  ),
  bandwidth_limit: allow(
    'a rate such as 500 (KiB per second), 1.5m or 10M; 0 for no limit',
    z.preprocess(numberAsText, text(readBandwidth)),
  ),
  max_shrink: share(),
  max_change: share(),
  allow_empty: allow('true or false', z.boolean()),
  jobs_at_once: whole(1, 16),
  max_incr: whole(0, 10_000),
  max_age: days(),
  archivedir: allow('an absolute directory on the server', text(readAbsolutePath)),
  archive_format: allow('tar.gz or tar.zst', z.enum(['tar.gz', 'tar.zst'])),
  archive_level: whole(0, 19),
  archive_threads: whole(0, 256),
  archive_copy_to: allow('an absolute directory on the server', text(readAbsolutePath)),
  max_age_full: days(),
  max_age_incr: days(),
  connect_timeout: duration('a duration from 1s to 10m', (ms) => ms >= 1000 && ms <= 600_000),
  idle_timeout: duration(
    'a duration from 1s to 7d, or 0 for never',
    (ms) => ms === 0 || (ms >= 1000 && ms <= longestMs),
  ),
};

/** What may stand in `keep`. */
const keepSchema = z
  .strictObject({
    last: whole(0, 10_000),
    daily: whole(0, 10_000),
    weekly: whole(0, 10_000),
    monthly: whole(0, 10_000),
    yearly: whole(0, 10_000),
  })
  .partial()
  .superRefine(refuseKeepOfNothing);

const unattendedFields = {
  pre_command: allow('a command line for a shell on the host', text(readCommandLine)),
  post_command: allow('a command line for a shell on the host', text(readCommandLine)),
  command_timeout: upToOneDay(),
  keep: allow(
    'a map of last, daily, weekly, monthly and yearly, each with how many are kept; {} for all',
    keepSchema,
  ),
  archive_keep: allow(
    'a map of last, daily, weekly, monthly and yearly, each with how many are kept; {} for all',
    keepSchema,
  ),
  archive_schedule: allow(
    'never, or a list of times of day such as "03:00" and of cron expressions such as "0 3 * * sun"',
    z.preprocess(slotsAsList, z.union([z.literal('never'), z.array(text(readSlot))])),
  ),
  email: allow(
    'one mail address or a list of them',
    z.preprocess(textAsList, z.array(text(readMailAddress)).superRefine(refuseRepeats)),
  ),
  schedule: allow(
    'never, or a list of times of day such as "14:00" and of cron expressions such as "0 */4 * * *"',
    z.preprocess(slotsAsList, z.union([z.literal('never'), z.array(text(readSlot))])),
  ),
  time_zone: allow('the name of a time zone such as Europe/Berlin', text(readTimeZone)),
  catch_up: duration('a duration from 0 to 7d', (ms) => ms <= longestMs),
  jitter: duration('a duration from 0 to 1d', (ms) => ms <= 86_400_000),
  windows: windows(),
  verify_every: days(),
  verify_schedule: windows(),
  drill_schedule: allow(
    'a list of times of day such as "14:00" and of cron expressions such as "0 4 * * sun"; [] for never',
    z.preprocess(slotsAsList, z.array(text(readSlot))),
  ),
  drill_sample: whole(0, 10_000),
  drill_paths: allow(
    'a list of absolute paths on the host',
    z.array(text(readAbsolutePath)).superRefine(refuseRepeats),
  ),
  drill_command: allow(
    'a program on the server and its arguments, as a list of words',
    z.preprocess(textAsWords, z.array(text(readCommandLine))),
  ),
  alert_after: days(),
  timeout: duration(
    'a duration from 1m to 7d, or 0 for never',
    (ms) => ms === 0 || (ms >= 60_000 && ms <= longestMs),
  ),
  retry_after: upToOneDay(),
  mail: allow('on_change, every_failure or never', z.enum(['on_change', 'every_failure', 'never'])),
  mail_partial: allow('true or false', z.boolean()),
  mail_reminder: duration(
    'a duration from 1h to 7d, or 0 for never',
    (ms) => ms === 0 || (ms >= 3_600_000 && ms <= longestMs),
  ),
};

const defaultsSchema = z.strictObject({ ...hostFields, ...unattendedFields }).partial();

const hostSchema = defaultsSchema.extend({
  name: allow(
    'at most 100 lower-case letters, digits and . _ -, beginning with a letter or a digit',
    text(readHostName),
  ),
});

const mailServerSchema = z
  .strictObject({
    from: allow('a mail address', text(readMailAddress)),
    transport: allow('sendmail, or smtp://HOST:PORT or smtps://HOST:PORT', text(readMailTransport)),
    sendmail: allow('the absolute path of a program', text(readAbsolutePath)),
    user: allow('the name to log in with', z.string().min(1)),
    password_file: allow('the absolute path of a file that holds the password', text(readAbsolutePath)),
    digest: allow('a time of day such as "07:00"', text(readTimeOfDay)),
    digest_to: allow(
      'one mail address or a list of them',
      z.preprocess(textAsList, z.array(text(readMailAddress))),
    ),
  })
  .partial();

const scriptsSchema = z
  .strictObject({
    pre_backup: scriptPath(),
    post_backup: scriptPath(),
    pre_archive: scriptPath(),
    post_archive: scriptPath(),
    timeout: upToOneDay(),
  })
  .partial();

const logSchema = z
  .strictObject({
    level: allow('error, warn, info or debug', z.enum(['error', 'warn', 'info', 'debug'])),
    format: allow('text or json', z.enum(['text', 'json'])),
    file: allow('the absolute path of a file', text(readAbsolutePath)),
    syslog: allow('the absolute path of a socket such as /dev/log', text(readAbsolutePath)),
  })
  .partial();

const tlsSchema = z
  .strictObject({
    cert: allow('the absolute path of a file in PEM', text(readAbsolutePath)),
    key: allow('the absolute path of a file in PEM', text(readAbsolutePath)),
    client_ca: allow('the absolute path of a file in PEM', text(readAbsolutePath)),
  })
  .partial();

export const fileSchema = z
  .strictObject({
    state_dir: allow('an absolute directory', text(readAbsolutePath)),
    listen: allow(
      'one or a list of unix:/PATH, tcp://HOST:PORT and tls://HOST:PORT',
      z.preprocess(textAsList, z.array(text(readEndpoint)).min(1).superRefine(refuseRepeats)),
    ),
    tls: allow('a map with cert, key and client_ca', z.preprocess(nothingAs({}), tlsSchema)),
    socket_group: allow('the name or the number of a group', z.preprocess(numberAsText, text(readUser))),
    socket_role: role(),
    certificates: certificates(),
    reflection: allow('true or false', z.boolean()),
    metrics_listen: allow(
      '127.0.0.1:PORT or [::1]:PORT; other machines get the metrics by busy metrics or from busy-web, over TLS and with a token',
      text(readLoopback),
    ),
    database: allow('sqlite:/PATH, or mysql://USER:PASSWORD@HOST/NAME', text(readDatabase)),
    mysql_login: allow('the name of a user of MySQL', text(readUser)),
    mysql_password: allow(
      'a text of one or more characters in quotes, or ${NAME} of an environment variable',
      secret(),
    ),
    mysql_password_file: allow('the absolute path of a file that holds the password', text(readAbsolutePath)),
    takeover_after: duration('a duration from 3s to 1d', (ms) => ms >= 3000 && ms <= 86_400_000),
    keep_runs: days(),
    max_running: whole(1, 1000),
    max_running_per_disk: whole(1, 1000),
    mail: allow(
      'a map with from, transport, sendmail, user, password_file, digest and digest_to',
      z.preprocess(nothingAs({}), mailServerSchema),
    ),
    scripts: allow(
      'a map with pre_backup, post_backup, pre_archive, post_archive and timeout',
      z.preprocess(nothingAs({}), scriptsSchema),
    ),
    executors: whole(1, 256),
    nice: whole(0, 19),
    confine: allow('auto, off or required', z.enum(confineModes)),
    reserve: allow('a size from 1M to 1G, or 0 for none', z.preprocess(numberAsText, text(readReserve))),
    trash_days: whole(1, 3650),
    stop_grace: duration('a duration from 0 to 7d', (ms) => ms <= longestMs),
    log: allow('a map with level, format, file and syslog', z.preprocess(nothingAs({}), logSchema)),
    defaults: allow('a map of settings for all hosts', z.preprocess(nothingAs({}), defaultsSchema)),
    hosts: allow(
      'a list of hosts, each a map with at least a name',
      z.preprocess(nothingAs([]), z.array(hostSchema)),
    ),
  })
  .partial();

export type FileSettings = z.output<typeof fileSchema>;
export type HostSettings = z.output<typeof hostSchema>;

/** The settings that each part of the file may have. */
export const settingsOf = {
  top: fileSchema.shape,
  tls: tlsSchema.shape,
  log: logSchema.shape,
  mail: mailServerSchema.shape,
  scripts: scriptsSchema.shape,
  defaults: defaultsSchema.shape,
  host: hostSchema.shape,
  keep: keepSchema.shape,
} as const;
