/** What the look at the server says: facts in, findings out. */
import { confinementText, type Confinement } from './confinement.js';
import { formatBytes } from './figures.js';
import { ok, problem, warning, type Finding } from './finding.js';
import type { DiskRoom } from './space.js';

/** A file that should be its owner's alone. */
export interface SecretFile {
  readonly path: string;
  /** Permission bits; null when it is not there or cannot be looked at. */
  readonly mode: number | null;
  /** Whether it belongs to the user of the daemon. */
  readonly isOwn: boolean;
}

export interface ServerFacts {
  readonly now: Date;
  readonly configFile: SecretFile;
  /** The file holds a password. */
  readonly hasPasswordInConfig: boolean;
  readonly stateDir: SecretFile;
  /** Private keys and files with passwords. */
  readonly secrets: readonly SecretFile[];
  /** null: it cannot be read. */
  readonly disks: readonly {
    readonly directory: string;
    readonly use: 'backupdir' | 'archivedir' | 'state_dir';
    readonly room: DiskRoom | null;
  }[];
  /** The version of rsync, or why it is of no use. */
  readonly rsync: { readonly version: string } | { readonly wrong: string; readonly advice: string };
  /** Of the rsyncs that talk to hosts. */
  readonly confinement: Confinement;
  /** Programs that are needed by some kinds of work, and whether they are there. */
  readonly programs: readonly { readonly name: string; readonly isThere: boolean; readonly use: string }[];
  readonly databaseAwaySince: Date | null;
  /** Why no mail could be handed over; null when one could. */
  readonly mailTrouble: string | null;
  readonly hasRecipients: boolean;
}

/** The share that is too little for comfort. */
const littleRoom = 0.05;
/** No clock of a server that runs this version is earlier. */
const earliest = new Date('2026-01-01T00:00:00Z');

export function serverFindings(facts: ServerFacts): Finding[] {
  return [
    stateDirFinding(facts.stateDir),
    ...facts.secrets.map(secretFinding),
    ...configFinding(facts),
    ...facts.disks.map(diskFinding),
    facts.databaseAwaySince === null
      ? ok('database', 'it answers')
      : problem(
          'database',
          `away since ${facts.databaseAwaySince.toISOString()}`,
          'The log of busyd says why.',
        ),
    mailFinding(facts),
    facts.now < earliest
      ? problem('clock', `it says ${facts.now.toISOString()}`, 'Set it; schedules and ages depend on it.')
      : ok('clock', facts.now.toISOString()),
    'version' in facts.rsync
      ? ok('rsync', facts.rsync.version)
      : problem('rsync', facts.rsync.wrong, facts.rsync.advice),
    confinementFinding(facts.confinement),
    ...facts.programs.map(({ name, isThere, use }) =>
      isThere ? ok(name, 'is there') : warning(name, `is not there; ${use}`, `Install ${name}.`),
    ),
  ];
}

function stateDirFinding({ path, mode, isOwn }: SecretFile): Finding {
  if (mode === null) return problem(path, 'cannot be looked at', 'It must belong to the user of busyd.');
  if (!isOwn) return problem(path, 'belongs to another user', 'It must belong to the user of busyd.');
  if ((mode & 0o022) !== 0)
    return problem(path, `others may write there (mode ${octal(mode)})`, `chmod go-w ${path}`);
  return ok(path, `mode ${octal(mode)}`);
}

function secretFinding({ path, mode, isOwn }: SecretFile): Finding {
  if (mode === null)
    return warning(path, 'is not there', 'busy enroll makes a key; a password must be put there.');
  if ((mode & 0o077) !== 0)
    return problem(path, `others may read it (mode ${octal(mode)})`, `chmod 600 ${path}`);
  if (!isOwn)
    return warning(path, 'belongs to another user than that of busyd', `chown it, if only busyd uses it.`);
  return ok(path, `mode ${octal(mode)}`);
}

function configFinding({ configFile: { path, mode }, hasPasswordInConfig }: ServerFacts): Finding[] {
  if (mode === null) return [];
  if ((mode & 0o002) !== 0)
    return [problem(path, `anyone may write it (mode ${octal(mode)})`, `chmod o-w ${path}`)];
  if (!hasPasswordInConfig || (mode & 0o077) === 0) return [ok(path, `mode ${octal(mode)}`)];
  return [
    warning(
      path,
      `it holds a password, and others may read it (mode ${octal(mode)})`,
      `chmod 600 ${path}, or put the password into a file of its own (mysql_password_file).`,
    ),
  ];
}

function diskFinding({ directory, use, room }: ServerFacts['disks'][number]): Finding {
  const subject = `${use} ${directory}`;
  if (!room) return problem(subject, 'cannot be read', 'Make it, mount its disk, or correct the setting.');
  const bytes = `${formatBytes(room.free.bytes)} of ${formatBytes(room.total.bytes)} are free`;
  if (room.total.bytes > 0 && room.free.bytes < littleRoom * room.total.bytes)
    return warning(subject, bytes, 'busy space says what removing snapshots would free.');
  if (room.total.inodes > 0 && room.free.inodes < littleRoom * room.total.inodes)
    return warning(
      subject,
      `${bytes}, but few inodes`,
      'Remove snapshots, or use a file system with more inodes.',
    );
  return ok(subject, bytes);
}

function mailFinding({ mailTrouble, hasRecipients }: ServerFacts): Finding {
  if (!hasRecipients)
    return warning(
      'mail',
      'no address is configured, so nobody is told of failures',
      'Set email in defaults.',
    );
  return mailTrouble === null
    ? ok('mail', 'one could be handed over; busy mail-test sends one')
    : problem('mail', mailTrouble, 'Correct the section mail of the configuration.');
}

function confinementFinding(confinement: Confinement): Finding {
  const text = confinementText(confinement);
  if (confinement.isBoxed) return ok('confinement', text);
  const { mode, why } = confinement;
  if (mode === 'off') return warning('confinement', text, 'Set confine to auto.');
  const advice = why.includes('not installed')
    ? 'Install bubblewrap: with it an rsync that is broken into reaches the backups of its host alone.'
    : 'Without it an rsync that is broken into reaches all that busyd may read and write.';
  return mode === 'required' ? problem('confinement', text, advice) : warning('confinement', text, advice);
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8);
}
