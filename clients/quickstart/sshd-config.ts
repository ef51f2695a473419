/** The configuration of the private sshd: public keys only, and nothing from the machine's own set-up. */
import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';

export interface SshdConfigOptions {
  readonly port: number;
  readonly hostKeyFiles: readonly string[];
  readonly authorizedKeysFile: string;
  /** PATH of the sessions; undefined leaves it to sshd. */
  readonly path: string | undefined;
  /** HOME of the sessions, where their shells look for start-up files; undefined leaves it to sshd. */
  readonly home: string | undefined;
}

/** The text of an sshd_config for the sshd and the user of this machine. */
export async function sshdConfig(options: SshdConfigOptions): Promise<string> {
  const lines = [
    `Port ${options.port}`,
    'ListenAddress 127.0.0.1',
    ...options.hostKeyFiles.map((file) => `HostKey ${quoted(file)}`),
    `AuthorizedKeysFile ${quoted(options.authorizedKeysFile)}`,
    'AuthenticationMethods publickey',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    // The keys may lie below a directory that others can write to, such as /tmp.
    'StrictModes no',
    `UsePAM ${(await isLockedAccount()) ? 'yes' : 'no'}`,
    'PidFile none',
    'PrintMotd no',
    'PrintLastLog no',
    'UseDNS no',
    'MaxStartups 100',
    'MaxSessions 100',
    'LogLevel VERBOSE',
  ];
  // Newer servers shut out an address after a few refused logins, which tests make on purpose.
  if (knowsPenalties()) lines.push('PerSourcePenalties no');
  const variables = Object.entries({ PATH: options.path, HOME: options.home }).flatMap(([name, value]) =>
    value === undefined ? [] : [quoted(`${name}=${value}`)],
  );
  if (variables.length > 0) lines.push(`SetEnv ${variables.join(' ')}`);
  return `${lines.join('\n')}\n`;
}

/**
 * Whether the password field of the current user says "locked", as root's does in many containers.
 * Without PAM, sshd then refuses keys too. Only root can see that, and only root's sshd can use PAM.
 */
async function isLockedAccount(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const shadow = await readFile('/etc/shadow', 'utf8');
  return shadow.split('\n').some((line) => line.startsWith(`${userInfo().username}:!`));
}

/** Since OpenSSH 9.8. Older ones do not know -V either, but show their version with the complaint. */
function knowsPenalties(): boolean {
  const { stderr } = spawnSync('/usr/sbin/sshd', ['-V'], { encoding: 'utf8' });
  const [major = 0, minor = 0] = (/OpenSSH_(\d+)\.(\d+)/.exec(stderr) ?? []).slice(1).map(Number);
  return major > 9 || (major === 9 && minor >= 8);
}

function quoted(word: string): string {
  return `"${word.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
