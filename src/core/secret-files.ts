/** What files that hold a secret have to be like: their owner's alone. Facts in, findings out. */
import { ok, problem, warning, type Finding } from './finding.js';

/** A file, as it was found. */
export interface FileLook {
  readonly path: string;
  /** Permission bits; null when it is not there or cannot be looked at. */
  readonly mode: number | null;
  /** Whether it belongs to the user of the daemon. */
  readonly isOwn: boolean;
}

export interface SecretFile extends FileLook {
  /**
   * `key`: the key for a host, or its passphrase, which is not used while others may read it. `tls-key`: with one that
   * others may read busyd does not start. `password`: used all the same.
   */
  readonly kind: 'key' | 'tls-key' | 'password';
}

export interface SecretFacts {
  readonly configFile: FileLook;
  /** The file holds a password. */
  readonly hasPasswordInConfig: boolean;
  readonly files: readonly SecretFile[];
}

export function secretFindings({ configFile, hasPasswordInConfig, files }: SecretFacts): Finding[] {
  return [...files.map(secretFinding), ...configFinding(configFile, hasPasswordInConfig)];
}

/** Whether a key of TLS is open to anyone: a group may read it, as tools for certificates arrange it. */
export function isOpenTlsKey(mode: number): boolean {
  return (mode & 0o027) !== 0;
}

const consequences: Readonly<Record<SecretFile['kind'], string>> = {
  key: ', so it is not used',
  'tls-key': ', so busyd will not start again',
  password: '',
};

function secretFinding({ path, mode, isOwn, kind }: SecretFile): Finding {
  if (mode === null)
    return warning(path, 'is not there', 'busy enroll makes a key; a password must be put there.');
  if (kind === 'tls-key' && !isOpenTlsKey(mode)) return ok(path, `mode ${octal(mode)}`);
  if ((mode & 0o077) !== 0)
    return problem(
      path,
      `others may read it (mode ${octal(mode)})${consequences[kind]}`,
      `chmod 600 ${path}`,
    );
  if (!isOwn)
    return warning(path, 'belongs to another user than that of busyd', `chown it, if only busyd uses it.`);
  return ok(path, `mode ${octal(mode)}`);
}

function configFinding({ path, mode }: FileLook, hasPassword: boolean): Finding[] {
  if (mode === null) return [];
  if ((mode & 0o002) !== 0)
    return [problem(path, `anyone may write it (mode ${octal(mode)})`, `chmod o-w ${path}`)];
  if (!hasPassword || (mode & 0o077) === 0) return [ok(path, `mode ${octal(mode)}`)];
  return [
    warning(
      path,
      `it holds a password, and others may read it (mode ${octal(mode)})`,
      `chmod 600 ${path}, or put the password into a file of its own (mysql_password_file) or into the environment (\${NAME}).`,
    ),
  ];
}

export function octal(mode: number): string {
  return (mode & 0o7777).toString(8);
}
