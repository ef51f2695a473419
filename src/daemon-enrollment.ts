/** Builds enrolment and the look at the server; a part of the composition root. */
import { hostname } from 'node:os';
import type { Config } from './config.js';
import type { Catalog } from './control/catalog.js';
import type { DatabaseWatch } from './control/database-watch.js';
import { Enrollment, type EnrollmentParts } from './control/enrollment.js';
import type { Finding } from './core/finding.js';
import type { HostKeys } from './core/enrollment-ports.js';
import type { Clock } from './core/ports.js';
import { serverFindings, type ServerFacts } from './core/server-findings.js';
import { roomOf } from './execute/disk.js';
import type { ExecutorPool } from './execute/executor-pool.js';
import { fingerprintOfPin } from './execute/host-key.js';
import { keysIn } from './execute/known-hosts.js';
import { lookAtFile, lookAtPrograms, lookAtRsync } from './execute/server-check.js';
import { scanHostKey } from './execute/ssh-handshake.js';
import { prepareIdentity } from './execute/ssh-identity.js';
import { agentPublicKey } from './execute/ssh-login.js';
import { checkMailer } from './notify/mail.js';

const keys: HostKeys = {
  scan: scanHostKey,
  fingerprintOf: fingerprintOfPin,
  prepare: (host) =>
    host.identityAgent === ''
      ? prepareIdentity(host, `busy-${host.name}@${hostname()}`)
      : agentPublicKey(host),
  find: (text, host) =>
    keysIn(text, [...host.addresses, host.hostname].filter(Boolean), host.port)[0] ?? null,
};

export function createEnrollment(parts: Omit<EnrollmentParts, 'keys'>): Enrollment {
  return new Enrollment({ ...parts, keys });
}

export interface ServerParts {
  /** What the daemon was started with. */
  readonly config: Config;
  readonly clock: Clock;
  readonly catalog: Pick<Catalog, 'hosts'>;
  readonly watch: Pick<DatabaseWatch, 'unavailableSince'>;
  readonly executor: Pick<ExecutorPool, 'confinement'>;
}

const mailMs = 20_000;

/** Answers what looks at the server; that never throws. */
export function createServerCheck({
  config,
  clock,
  catalog,
  watch,
  executor,
}: ServerParts): () => Promise<Finding[]> {
  return async () => {
    const { database, mail, stateDir } = config;
    const hosts = catalog.hosts();
    const secrets = [
      ...hosts.filter((host) => host.identityAgent === '').map((host) => host.identityFile),
      ...hosts.map((host) => host.identityPassphraseFile),
      ...(database.kind === 'mysql' ? [database.passwordFile] : []),
      mail.passwordFile,
    ];
    const [configFile, state, secretFiles, disks, rsync, confinement, programs, mailTrouble] =
      await Promise.all([
        lookAtFile(config.file),
        lookAtFile(stateDir),
        Promise.all(different(secrets).map(lookAtFile)),
        lookAtDisks(hosts, stateDir),
        lookAtRsync(),
        executor.confinement(),
        lookAtPrograms(),
        checkMailer({ settings: mail, hostname: hostname(), timeoutMs: mailMs }).then(
          () => null,
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        ),
      ]);
    return serverFindings({
      now: clock.now(),
      configFile,
      hasPasswordInConfig: database.kind === 'mysql' && database.password !== '',
      stateDir: state,
      secrets: secretFiles,
      disks,
      rsync,
      confinement,
      programs,
      databaseAwaySince: watch.unavailableSince,
      mailTrouble,
      hasRecipients: mail.digestTo.length > 0 || hosts.some((host) => host.mail.to.length > 0),
    });
  };
}

async function lookAtDisks(
  hosts: ReturnType<Catalog['hosts']>,
  stateDir: string,
): Promise<ServerFacts['disks']> {
  const wanted = [
    { use: 'state_dir' as const, directory: stateDir },
    ...different(hosts.map((host) => host.backupdir)).map((directory) => ({
      use: 'backupdir' as const,
      directory,
    })),
    ...different(hosts.map((host) => host.archivedir)).map((directory) => ({
      use: 'archivedir' as const,
      directory,
    })),
  ];
  return Promise.all(wanted.map(async (disk) => ({ ...disk, room: await roomOf(disk.directory) })));
}

function different(paths: readonly string[]): string[] {
  return [...new Set(paths)].filter((path) => path !== '').sort();
}
