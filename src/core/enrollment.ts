/** Rules of enrolment: the line that lets the key of the server in on a host, and the words of what is found there. */
import { ok, problem, warning, type Finding } from './finding.js';
import type { Failure } from './errors.js';
import type { Host } from './host.js';

/** The key that a host shows. */
export interface ShownKey {
  /** With its port. */
  readonly address: string;
  /** `ssh-ed25519 AAAA...` */
  readonly hostKey: string;
  readonly fingerprint: string;
  /** Whether it is the pinned one. */
  readonly isPinned: boolean;
  /** The address of the server on that connection. */
  readonly serverAddress: string;
}

/** The public half of the key pair for a host. */
export interface PublicKey {
  readonly publicKey: string;
  readonly isNew: boolean;
}

/** What the key of the server may do on a host, and who lets it. */
export interface Admission {
  readonly line: string;
  readonly steps: readonly string[];
  /** Why the line does not limit the key to reading by rsync. */
  readonly notes: readonly string[];
}

/** How one source directory looks through the key; null when its uppermost level could be read. */
export interface SourceCheck {
  readonly source: string;
  readonly problem: string | null;
}

/** What a login found. */
export interface HostCheck {
  readonly address: string;
  readonly fingerprint: string;
  readonly software: string;
  /** Empty when the key does not allow the command. */
  readonly hostname: string;
  /** Empty when the key does not allow the command. */
  readonly rsyncVersion: string;
  readonly isRsyncMissing: boolean;
  readonly sources: readonly SourceCheck[];
}

/** Where Debian and its like have the script, which is written in Python; others tell it by `command -v rrsync`. */
const rrsync = '/usr/bin/rrsync';

/** `serverAddress` is where the host sees the server come from; a translated one (NAT) must be corrected by hand. */
export function admit(host: Host, publicKey: string, serverAddress: string): Admission {
  const notes = unlimitedBecause(host);
  const command = notes.length === 0 ? `,command="${rrsync} -ro /"` : '';
  const from = serverAddress.replace(/^::ffff:(?=\d+\.)/, '');
  const home = host.user === 'root' ? '/root' : `~${host.user}`;
  return {
    line: `restrict,from="${from}"${command} ${publicKey}`,
    steps: [
      `On ${host.addresses[0]}, append the line to ${home}/.ssh/authorized_keys (mode 600, owned by ${host.user}).`,
      notes.length === 0
        ? `There, install rsync and python3, and see that \`${rrsync} -h\` prints how it is used; else correct its path in the line (\`command -v rrsync\`).`
        : 'There, see that rsync is installed.',
    ],
    notes,
  };
}

function unlimitedBecause(host: Host): string[] {
  const reasons: string[] = [];
  if (host.initiator === 'client') reasons.push('initiator: client starts rsync by a command of its own');
  if (host.rsyncPath.join(' ') !== 'rsync')
    reasons.push(`rsync_path is "${host.rsyncPath.join(' ')}", which rrsync does not call`);
  if (host.preCommand !== '' || host.postCommand !== '')
    reasons.push('pre_command and post_command are commands of their own');
  return reasons.map((reason) => `The line lets the key run any command, since ${reason}.`);
}

/** What a check of a host says; `failure` stands for a login that did not come about. */
export function findingsOf(host: Host, found: HostCheck | Failure): Finding[] {
  if ('reason' in found) return [problem('login', found.message, found.advice)];
  return [
    ok('host key', `${found.fingerprint} at ${found.address}, as pinned`),
    ok(
      'login',
      `as ${host.user} with ${host.identityAgent === '' ? host.identityFile : `the agent ${host.identityAgent}`} (${found.software})`,
    ),
    hostnameFinding(host, found),
    ...limitFinding(host, found),
    rsyncFinding(host, found),
    ...found.sources.map((source) => sourceFinding(host, source)),
  ];
}

function hostnameFinding(host: Host, { hostname }: HostCheck): Finding {
  if (hostname === '')
    return ok('hostname', 'not asked: the key allows only rsync; the host key tells who it is');
  return ok('hostname', host.hostname === '' ? `${hostname} (none is configured)` : hostname);
}

function limitFinding(host: Host, { hostname }: HostCheck): Finding[] {
  if (hostname === '' || unlimitedBecause(host).length > 0) return [];
  return [
    warning(
      'limit',
      'the key may run any command on the host',
      `Limit it to reading by rsync: busy enroll ${host.name} prints the line for authorized_keys.`,
    ),
  ];
}

function rsyncFinding(host: Host, found: HostCheck): Finding {
  if (found.isRsyncMissing)
    return problem(
      'rsync',
      'it cannot be started there',
      'Install rsync, and python3 for the rrsync of authorized_keys, whose path must be right there; or set rsync_path.',
    );
  if (found.rsyncVersion !== '') return ok('rsync', found.rsyncVersion);
  return found.sources.some((source) => source.problem === null)
    ? ok('rsync', 'it answers (its version cannot be asked: the key allows only rsync)')
    : problem(
        'rsync',
        'no transfer came about',
        `See that rsync is installed there, and that the command in authorized_keys of ${host.user} names the right path of rrsync and the directory /.`,
      );
}

function sourceFinding(host: Host, { source, problem: wrong }: SourceCheck): Finding {
  if (wrong === null) return ok(source, 'can be read');
  const advice = /Permission denied/.test(wrong)
    ? `Let ${host.user} read it there, or log in as another user (user).`
    : 'Correct srcdirs, or the directory in the command of authorized_keys.';
  return problem(source, wrong, advice);
}
