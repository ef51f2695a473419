/** Builds enrolment and the look at the server; a part of the composition root. */
import { hostname } from 'node:os';
import type { Config } from './config.js';
import { ownTimeZone } from './config/own-time-zone.js';
import type { Catalog } from './control/catalog.js';
import type { DatabaseWatch } from './control/database-watch.js';
import { Enrollment, type EnrollmentParts } from './control/enrollment.js';
import type { Finding } from './core/finding.js';
import type { HostKeys } from './core/enrollment-ports.js';
import type { Clock } from './core/ports.js';
import { isTimeZone } from './core/schedule.js';
import { serverFindings, type ServerFacts } from './core/server-findings.js';
import { lookAtSecrets } from './daemon-secrets.js';
import { lookAtLock, type LockHolder } from './execute/backupdir-lock.js';
import { roomOf } from './execute/disk.js';
import type { Confiner } from './execute/confinement.js';
import { fingerprintOfPin } from './execute/host-key.js';
import { keysIn } from './execute/known-hosts.js';
import { lookAtCertificate, lookAtFile, lookAtPrograms, lookAtRsync } from './execute/server-check.js';
import { scanHostKey } from './execute/ssh-handshake.js';
import { prepareIdentity } from './execute/ssh-identity.js';
import { agentPublicKey } from './execute/ssh-login.js';
import { checkMailer } from './notify/mail.js';
import type { Database } from './store/data-source.js';
import { lookAtTables } from './store/tables-look.js';

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
  readonly database: Pick<Database, 'run'>;
  readonly holder: LockHolder;
  readonly confiner: Pick<Confiner, 'state'>;
}

const mailMs = 20_000;

/** Answers what looks at the server; that never throws. */
export function createServerCheck({
  config,
  clock,
  catalog,
  ...parts
}: ServerParts): () => Promise<Finding[]> {
  return async () => {
    const { mail, stateDir } = config;
    const hosts = catalog.hosts();
    const backupdirs = different(hosts.map((host) => host.backupdir));
    const zones = different([ownTimeZone(), ...hosts.map((host) => host.schedule.timeZone)]);
    const [state, secrets, disks, locks, tables, certificate, rsync, confinement, programs, mailTrouble] =
      await Promise.all([
        lookAtFile(stateDir),
        lookAtSecrets(config, hosts),
        lookAtDisks(hosts, stateDir),
        Promise.all(
          backupdirs.map(async (backupdir) => ({
            backupdir,
            owner: await lookAtLock(backupdir, parts.holder),
          })),
        ),
        lookAtTables(parts.database, config.database.kind, clock).catch(() => null),
        config.tls && lookAtCertificate(config.tls.certFile),
        lookAtRsync(),
        parts.confiner.state(),
        lookAtPrograms(),
        checkMailer({ settings: mail, hostname: hostname(), timeoutMs: mailMs }).then(
          () => null,
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        ),
      ]);
    return serverFindings({
      now: clock.now(),
      stateDir: state,
      secrets,
      disks,
      rsync,
      confinement,
      programs,
      locks,
      tables,
      certificate,
      timeZones: zones.map((name) => ({ name, isKnown: isTimeZone(name) })),
      databaseAwaySince: parts.watch.unavailableSince,
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
