/** What the daemon knows of its own secrets: where they lie, and who else may read them; a part of the composition root. */
import type { Config } from './config.js';
import type { DatabaseAddress } from './core/database-address.js';
import type { Finding } from './core/finding.js';
import type { Host } from './core/host.js';
import { secretFindings, type SecretFacts, type SecretFile } from './core/secret-files.js';
import { lookAtFile } from './execute/server-check.js';
import { DatabaseError } from './store/database-errors.js';

/** All files that hold a secret; each once. */
export function secretFilesOf(
  { database, mail, tls }: Config,
  hosts: readonly Host[],
): readonly { readonly kind: SecretFile['kind']; readonly path: string }[] {
  const keys = hosts.flatMap((host) => [
    ...(host.identityAgent === '' ? [host.identityFile] : []),
    host.identityPassphraseFile,
    host.restoreIdentityFile,
  ]);
  const passwords = [database.kind === 'mysql' ? database.passwordFile : '', mail.passwordFile];
  const wanted: readonly (readonly [SecretFile['kind'], readonly string[]])[] = [
    ['key', keys],
    ['tls-key', [tls?.keyFile ?? '']],
    ['password', passwords],
  ];
  return wanted.flatMap(([kind, paths]) =>
    [...new Set(paths)]
      .filter((path) => path !== '')
      .sort()
      .map((path) => ({ kind, path })),
  );
}

/** Looks at all of them, and at the configuration. Never throws. */
export async function lookAtSecrets(config: Config, hosts: readonly Host[]): Promise<SecretFacts> {
  const { database } = config;
  return {
    configFile: await lookAtFile(config.file),
    hasPasswordInConfig: database.kind === 'mysql' && database.password !== '',
    files: await Promise.all(
      secretFilesOf(config, hosts).map(async ({ kind, path }) => ({ kind, ...(await lookAtFile(path)) })),
    ),
  };
}

/** What is wrong with those that are there: one that is missing may be made later, or be kept away on purpose. */
export async function openSecrets(config: Config, hosts: readonly Host[]): Promise<Finding[]> {
  const facts = await lookAtSecrets(config, hosts);
  const there = facts.files.filter(({ mode }) => mode !== null);
  return secretFindings({ ...facts, files: there }).filter(({ state }) => state !== 'ok');
}

/** Tells the log, at the start and when a configuration is taken over. */
export async function warnOfOpenSecrets(
  config: Config,
  hosts: readonly Host[],
  log: { warn(message: string, fields: Readonly<Record<string, unknown>>): unknown },
): Promise<void> {
  for (const { subject, text, advice } of await openSecrets(config, hosts))
    log.warn('a file with secrets is not well kept', { file: subject, problem: text, advice });
}

/**
 * The address with the password from the environment, where the configuration says so. It is taken out of the
 * environment, so that no process that is started from here has it. Throws a DatabaseError when it is not there.
 */
export function takePassword(address: DatabaseAddress): DatabaseAddress {
  if (address.kind === 'sqlite' || address.passwordVariable === '') return address;
  const { passwordVariable: name } = address;
  const { [name]: password = '' } = process.env;
  if (password === '')
    throw new DatabaseError(
      `The password of the database is to come from the environment variable ${name}, which is not set. Set it for ` +
        'busyd (EnvironmentFile= in its unit), or name a file that holds it in mysql_password_file.',
    );
  Reflect.deleteProperty(process.env, name);
  return { ...address, password, passwordVariable: '' };
}
