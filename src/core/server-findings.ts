/** What the look at the server says: facts in, findings out. */
import { confinementText, type Confinement } from './confinement.js';
import { formatBytes } from './figures.js';
import { ok, problem, warning, type Finding } from './finding.js';
import { octal, secretFindings, type FileLook, type SecretFacts } from './secret-files.js';
import type { DiskRoom } from './space.js';

export interface ServerFacts {
  readonly now: Date;
  readonly stateDir: FileLook;
  readonly secrets: SecretFacts;
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
  /** Per backup directory who holds its lock: empty for this daemon, null for nobody. */
  readonly locks: readonly { readonly backupdir: string; readonly owner: string | null }[];
  /** null: it serves no TLS. */
  readonly certificate: {
    readonly file: string;
    readonly expiresAt: Date | { readonly wrong: string };
  } | null;
  /** The zones that schedules are in, by name. */
  readonly timeZones: readonly { readonly name: string; readonly isKnown: boolean }[];
  readonly databaseAwaySince: Date | null;
  /** null: it could not be looked at. */
  readonly tables: TablesLook | null;
  /** Why no mail could be handed over; null when one could. */
  readonly mailTrouble: string | null;
  readonly hasRecipients: boolean;
}

/** How the tables of the database fit this version, and its clock. */
export interface TablesLook {
  /** Names of migrations that are still to be made. */
  readonly pending: readonly string[];
  /** Names of those that only a newer version knows. */
  readonly unknown: readonly string[];
  /** How far the clock of its server is ahead, in milliseconds; null where it has none of its own. */
  readonly clockAheadMs: number | null;
}

/** The share that is too little for comfort. */
const littleRoom = 0.05;
/** Certificates are told of so long before they end. */
const certificateDays = 30;
const dayMs = 86_400_000;
/** Leases of daemons that share a database are a minute by default. */
const clockToleranceMs = 5000;
/** No clock of a server that runs this version is earlier. */
const earliest = new Date('2026-01-01T00:00:00Z');

export function serverFindings(facts: ServerFacts): Finding[] {
  return [
    stateDirFinding(facts.stateDir),
    ...secretFindings(facts.secrets),
    ...facts.disks.map(diskFinding),
    facts.databaseAwaySince === null
      ? ok('database', 'it answers')
      : problem(
          'database',
          `away since ${facts.databaseAwaySince.toISOString()}`,
          'The log of busyd says why.',
        ),
    ...(facts.databaseAwaySince === null && facts.tables ? tablesFindings(facts.tables) : []),
    ...facts.locks.map(lockFinding),
    ...certificateFinding(facts),
    mailFinding(facts),
    facts.now < earliest
      ? problem('clock', `it says ${facts.now.toISOString()}`, 'Set it; schedules and ages depend on it.')
      : ok('clock', facts.now.toISOString()),
    ...facts.timeZones.map(({ name, isKnown }) =>
      isKnown
        ? ok(`time zone ${name}`, 'is known')
        : problem(
            `time zone ${name}`,
            'is not known here, so schedules in it go by another time',
            'Run busyd with a Node.js that has all of ICU, or set TZ and time_zone to a zone that it knows.',
          ),
    ),
    'version' in facts.rsync
      ? ok('rsync', facts.rsync.version)
      : problem('rsync', facts.rsync.wrong, facts.rsync.advice),
    confinementFinding(facts.confinement),
    ...facts.programs.map(({ name, isThere, use }) =>
      isThere ? ok(name, 'is there') : warning(name, `is not there; ${use}`, `Install ${name}.`),
    ),
  ];
}

function stateDirFinding({ path, mode, isOwn }: FileLook): Finding {
  if (mode === null) return problem(path, 'cannot be looked at', 'It must belong to the user of busyd.');
  if (!isOwn) return problem(path, 'belongs to another user', 'It must belong to the user of busyd.');
  if ((mode & 0o022) !== 0)
    return problem(path, `others may write there (mode ${octal(mode)})`, `chmod go-w ${path}`);
  return ok(path, `mode ${octal(mode)}`);
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
  const memory = 'Install prlimit (util-linux): without it rsync_memory bounds nothing.';
  if (confinement.isBoxed && !confinement.isMemoryBounded) return warning('confinement', text, memory);
  if (confinement.isBoxed) return ok('confinement', text);
  const { mode, why } = confinement;
  if (mode === 'off') return warning('confinement', text, 'Set confine to auto.');
  const advice = why.includes('not installed')
    ? 'Install bubblewrap: with it an rsync that is broken into reaches the backups of its host alone.'
    : 'Without it an rsync that is broken into reaches all that busyd may read and write.';
  return mode === 'required' ? problem('confinement', text, advice) : warning('confinement', text, advice);
}

function tablesFindings({ pending, unknown, clockAheadMs }: TablesLook): Finding[] {
  const findings: Finding[] = [];
  if (unknown.length > 0)
    findings.push(
      problem(
        'tables',
        `a newer BUSY has changed them (${unknown.join(', ')})`,
        'Install that version here too.',
      ),
    );
  else if (pending.length > 0)
    findings.push(
      problem(
        'tables',
        `${pending.length} changes of this version are not made (${pending.join(', ')})`,
        'Restart busyd: it makes them when it starts.',
      ),
    );
  else findings.push(ok('tables', 'are those of this version'));
  if (clockAheadMs === null) return findings;
  const seconds = (Math.abs(clockAheadMs) / 1000).toFixed(1);
  const way = clockAheadMs < 0 ? 'behind' : 'ahead of';
  findings.push(
    Math.abs(clockAheadMs) > clockToleranceMs
      ? warning(
          'clock of the database',
          `is ${seconds} s ${way} ours`,
          'Let both servers set their clocks by NTP; daemons that share a database go by it.',
        )
      : ok('clock of the database', `within ${clockToleranceMs / 1000} s of ours`),
  );
  return findings;
}

function lockFinding({ backupdir, owner }: ServerFacts['locks'][number]): Finding {
  const subject = `lock on ${backupdir}`;
  if (owner === '') return ok(subject, 'is ours');
  if (owner === null) return ok(subject, 'is free; the next backup takes it');
  return problem(
    subject,
    `is held by ${owner}`,
    'No backup is made there meanwhile; two daemons need directories of their own, or one database.',
  );
}

function certificateFinding({ certificate, now }: ServerFacts): Finding[] {
  if (certificate === null) return [];
  const { file, expiresAt } = certificate;
  if (!(expiresAt instanceof Date))
    return [problem(file, `is no certificate: ${expiresAt.wrong}`, 'Correct tls in the configuration.')];
  const until = expiresAt.toISOString();
  const days = Math.floor((expiresAt.getTime() - now.getTime()) / dayMs);
  const advice = 'Renew it (busyd make-cert, after the old files were moved away); a restart is not needed.';
  if (expiresAt <= now) return [problem(file, `has expired (${until}); clients refuse it`, advice)];
  if (days < certificateDays) return [warning(file, `expires in ${days} days (${until})`, advice)];
  return [ok(file, `good until ${until}`)];
}
