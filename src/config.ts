/**
 * The configuration file of the daemon. `readConfig` answers one complete, frozen object, with every default filled
 * in, or throws a ConfigError that names every problem of the file at once. A file with any problem is refused as a
 * whole.
 */
import { readFile } from 'node:fs/promises';
import { checkAccess, resolveAccess, resolveTls } from './config/access.js';
import { checkDatabase, resolveDatabase } from './config/database.js';
import { checkHosts, resolveHosts } from './config/hosts.js';
import { ConfigError } from './config/problems.js';
import { fileSchema, type FileSettings } from './config/schema.js';
import { findingsOfSchema } from './config/schema-findings.js';
import { parseYaml } from './config/yaml-source.js';
import type { ConfineMode } from './core/confinement.js';
import type { DatabaseAddress } from './core/database-address.js';
import type { Endpoint, LoopbackAddress } from './core/endpoint.js';
import type { Host } from './core/host.js';
import type { AccessSettings, MailSettings, ScriptSettings, TlsSettings } from './core/settings.js';
import type { HostSettings } from './core/stored-host.js';
import type { LogSettings } from './log.js';

export { ConfigError } from './config/problems.js';
export type { Problem } from './config/problems.js';

export interface Config {
  /** The file that was read, as it was named. */
  readonly file: string;
  /** Absolute directory of the database, the run logs and the keys. */
  readonly stateDir: string;
  /** Where the API is served. Never empty. */
  readonly listen: readonly Endpoint[];
  /** Null: not set up, so no endpoint uses it. */
  readonly tls: TlsSettings | null;
  /** Who may open unix sockets besides the daemon's user, by name or number; empty: the daemon's own group. */
  readonly socketGroup: string;
  readonly access: AccessSettings;
  readonly hasReflection: boolean;
  /** Where metrics are served by plain HTTP; null: nowhere. */
  readonly metricsListen: LoopbackAddress | null;
  readonly database: DatabaseAddress;
  /** How long another daemon on the same database may be silent before its hosts are taken over. */
  readonly takeoverAfterMs: number;
  /** How many days the records and logs of runs are kept; 0: for ever. */
  readonly keepRunsDays: number;
  /** Runs carried out at the same time. */
  readonly maxRunning: number;
  /** Of these on one backup disk. */
  readonly maxRunningPerDisk: number;
  readonly mail: MailSettings;
  readonly scripts: ScriptSettings;
  /** Executor processes. */
  readonly executors: number;
  /** By how much they and what they start step back, as `nice` has it. */
  readonly nice: number;
  /** Whether the rsyncs that talk to hosts are confined. */
  readonly confine: ConfineMode;
  /** What the state directory keeps for the daemon itself when its disk is full; 0: nothing. */
  readonly reserveBytes: number;
  /** How long what was deleted by a call stays in the trash. */
  readonly trashDays: number;
  /** How long running backups may go on after the daemon was told to stop. */
  readonly stopGraceMs: number;
  readonly log: LogSettings;
  /** In the order of the file. */
  readonly hosts: readonly Host[];
  /**
   * `defaults` as written, for hosts that do not stand in the file. Empty when hosts do: then there are no others.
   */
  readonly hostDefaults: HostSettings;
  /** What the file says of hosts, in its own words. */
  readonly written: WrittenHosts;
}

export interface WrittenHosts {
  readonly defaults: HostSettings;
  /** By the name of the host. */
  readonly hosts: Readonly<Record<string, HostSettings>>;
}

/**
 * Reads and checks a configuration file. `coreCount` is the default of `executors`; the keys of hosts lie below
 * `stateDirInUse` where a daemon runs already, whatever the file says by now.
 * Throws a ConfigError with all problems, also when the file cannot be read.
 */
export async function readConfig(file: string, coreCount: number, stateDirInUse?: string): Promise<Config> {
  return parseConfig(await readText(file), file, coreCount, stateDirInUse);
}

/** Checks the text of a configuration file; `file` only names it in problems. Throws a ConfigError. */
export function parseConfig(text: string, file: string, coreCount: number, stateDirInUse?: string): Config {
  const source = parseYaml(text);
  if (!source.isReadable) throw new ConfigError(file, source.problems);
  const parsed = fileSchema.safeParse(source.data, { reportInput: true });
  const findings = [
    ...findingsOfSchema(parsed.error?.issues ?? []),
    ...checkAccess(source.data),
    ...checkDatabase(source.data),
    ...checkHosts(source.data),
  ];
  const problems = [...source.problems, ...findings.map((finding) => source.place(finding))];
  if (!parsed.success || problems.length > 0) throw new ConfigError(file, problems);
  const settings = complete(parsed.data, file, coreCount);
  const hosts = resolveHosts(parsed.data, stateDirInUse ?? settings.stateDir);
  const written = hostsAsWritten(source.data);
  const hostDefaults = hosts.length > 0 ? {} : written.defaults;
  return deepFreeze({ ...settings, hosts, hostDefaults, written });
}

/** Of a file that is known to be good. */
function hostsAsWritten(data: unknown): WrittenHosts {
  const file = data as {
    readonly defaults?: HostSettings | null;
    readonly hosts?: readonly (HostSettings & { readonly name: string })[] | null;
  };
  const hosts = (file.hosts ?? []).map(({ name, ...own }) => [name, own]);
  return { defaults: file.defaults ?? {}, hosts: Object.fromEntries(hosts) as WrittenHosts['hosts'] };
}

function complete(
  settings: FileSettings,
  file: string,
  coreCount: number,
): Omit<Config, 'hosts' | 'hostDefaults' | 'written'> {
  const stateDir = settings.state_dir ?? '/var/lib/busy';
  return {
    file,
    stateDir,
    listen: settings.listen ?? [{ kind: 'unix', path: '/run/busy/busyd.sock' }],
    tls: resolveTls(settings),
    socketGroup: settings.socket_group ?? '',
    access: resolveAccess(settings),
    hasReflection: settings.reflection ?? true,
    metricsListen: settings.metrics_listen ?? null,
    database: resolveDatabase(settings, stateDir),
    takeoverAfterMs: settings.takeover_after ?? 60_000,
    keepRunsDays: settings.keep_runs ?? 365,
    maxRunning: settings.max_running ?? 4,
    maxRunningPerDisk: settings.max_running_per_disk ?? settings.max_running ?? 4,
    mail: {
      from: settings.mail?.from ?? 'busy',
      transport: settings.mail?.transport ?? { kind: 'sendmail' },
      sendmail: settings.mail?.sendmail ?? '/usr/sbin/sendmail',
      user: settings.mail?.user ?? '',
      passwordFile: settings.mail?.password_file ?? '',
      digest: settings.mail?.digest ?? null,
      digestTo: settings.mail?.digest_to ?? [],
    },
    scripts: {
      preBackup: settings.scripts?.pre_backup ?? '/etc/busy/pre-backup',
      postBackup: settings.scripts?.post_backup ?? '/etc/busy/post-backup',
      preArchive: settings.scripts?.pre_archive ?? '/etc/busy/pre-archive',
      postArchive: settings.scripts?.post_archive ?? '/etc/busy/post-archive',
      timeoutMs: settings.scripts?.timeout ?? 600_000,
    },
    executors: settings.executors ?? coreCount,
    nice: settings.nice ?? 10,
    confine: settings.confine ?? 'auto',
    reserveBytes: settings.reserve ?? 64 * 1024 ** 2,
    trashDays: settings.trash_days ?? 7,
    stopGraceMs: settings.stop_grace ?? 30_000,
    log: {
      level: settings.log?.level ?? 'info',
      format: settings.log?.format ?? 'text',
      file: settings.log?.file ?? null,
      syslog: settings.log?.syslog ?? null,
    },
  };
}

async function readText(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const wrong = `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    const allowed = 'a YAML file in UTF-8 that the daemon has the right to read';
    throw new ConfigError(file, [{ line: 0, column: 0, key: '', wrong, allowed }], { cause: error });
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}
