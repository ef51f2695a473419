/** Says which hosts there are, at the start and at each reload of the configuration; a part of the composition root. */
import { isDeepStrictEqual } from 'node:util';
import { ConfigError, readConfig, type Config } from './config.js';
import { settingsInEffect } from './config/settings-in-effect.js';
import { checkHostSettings } from './config/stored-hosts.js';
import type { Catalog } from './control/catalog.js';
import { checkHosts, type HostRegistry, type HostSource } from './control/host-registry.js';
import { BusyError } from './core/errors.js';
import type { Host } from './core/host.js';
import type { Pins } from './core/enrollment-ports.js';
import type { HostStore } from './core/ports.js';
import { problemList } from './core/problem-list.js';
import { warnOfOpenSecrets } from './daemon-secrets.js';
import type { Logger } from './log.js';

export interface ReloadResult {
  readonly hostCount: number;
  /** In the words of the file: what differs from the start of the daemon, and is not in effect. */
  readonly needsRestart: string[];
}

export interface ReloadParts {
  /** What the daemon was started with. */
  readonly config: Config;
  readonly registry: HostRegistry;
  readonly catalog: Pick<Catalog, 'hosts'>;
  readonly store: HostStore;
  readonly pins: Pins;
  /** Takes over what is neither a host nor needs a restart; must not throw. */
  readonly apply: (next: Config) => void;
  readonly log: Logger;
}

/** `stateDir` is that of the running daemon. */
export function hostSourceOf(config: Config, pins: Pins, stateDir = config.stateDir): HostSource {
  return {
    file: config.file,
    pins,
    hosts: config.hosts,
    check: (name, settings) => checkHostSettings(name, settings, { ...config, stateDir }),
    inEffect: (name, own) =>
      settingsInEffect(own ?? config.written.hosts[name] ?? {}, {
        name,
        stateDir,
        defaults: config.written.defaults,
      }),
  };
}

/**
 * The hosts to start with. One of the database that does not fit the configuration is left out, and the log says so
 * loudly: a daemon that did not start for it would back up no host at all, and could not even be asked to correct it.
 */
export async function firstHosts(
  config: Config,
  { store, pins, log }: { readonly store: HostStore; readonly pins: Pins; readonly log: Logger },
): Promise<readonly Host[]> {
  const { hosts, problems } = await checkHosts(hostSourceOf(config, pins), store);
  for (const problem of problems) {
    log.error('a host is left out until it is corrected (busy host edit NAME, or the defaults)', { problem });
  }
  await warnOfIdleHosts(config, store, log);
  await warnOfOpenSecrets(config, hosts, log);
  return hosts;
}

/** Answers what reads the configuration again; that throws CONFIG_INVALID, and then nothing has changed. */
export function createReload(parts: ReloadParts): () => Promise<ReloadResult> {
  const { config, registry, catalog, log } = parts;
  return async () => {
    let next = config;
    await registry.reload(async () => {
      next = await readAgain(config);
      return { source: hostSourceOf(next, parts.pins, config.stateDir), apply: () => parts.apply(next) };
    });
    const hostCount = catalog.hosts().length;
    log.info('configuration taken over', { hosts: hostCount });
    await warnOfIdleHosts(next, parts.store, log);
    await warnOfOpenSecrets(next, catalog.hosts(), log);
    const changed = settingsThatNeedRestart.filter(([key]) => !isDeepStrictEqual(config[key], next[key]));
    const needsRestart = changed.map(([, name]) => name);
    if (needsRestart.length > 0)
      log.warn('some changed settings need a restart of busyd', { settings: needsRestart.join(' ') });
    return { hostCount, needsRestart };
  };
}

type ReloadedKey =
  | 'file'
  | 'hosts'
  | 'hostDefaults'
  | 'written'
  | 'maxRunning'
  | 'maxRunningPerDisk'
  | 'scripts'
  | 'keepRunsDays'
  | 'trashDays'
  | 'access';

/** What is built once, at the start. A new part of the configuration must be named here or above. */
const namesInFile: Readonly<Record<Exclude<keyof Config, ReloadedKey>, string>> = {
  stateDir: 'state_dir',
  listen: 'listen',
  tls: 'tls',
  socketGroup: 'socket_group',
  hasReflection: 'reflection',
  metricsListen: 'metrics_listen',
  database: 'database',
  takeoverAfterMs: 'takeover_after',
  executors: 'executors',
  nice: 'nice',
  confine: 'confine',
  reserveBytes: 'reserve',
  stopGraceMs: 'stop_grace',
  log: 'log',
  mail: 'mail',
};

const settingsThatNeedRestart = Object.entries(namesInFile) as [keyof typeof namesInFile, string][];

async function readAgain({ file, executors, stateDir }: Config): Promise<Config> {
  try {
    return await readConfig(file, executors, stateDir);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = problemList(error.message.split('\n'));
    throw new BusyError('CONFIG_INVALID', { file, problems });
  }
}

/** Seldom what was meant: someone entered hosts that are never backed up. */
async function warnOfIdleHosts(config: Config, store: HostStore, log: Logger): Promise<void> {
  // Only a hint: a database that is away must not make a reload fail that has been done.
  const stored = config.hosts.length > 0 ? await store.list().catch(() => []) : [];
  const idleHosts = stored.length;
  if (idleHosts > 0)
    log.warn('the hosts in the database are not in effect, since the configuration file names hosts', {
      count: idleHosts,
    });
}
