/**
 * The catalogue of reasons: for each its kind, what happened (to what), and what to do next.
 * Reasons are part of the API and never change their meaning; add new ones instead.
 */
import { archiveSentences } from './archive-sentences.js';
import { accessSentences } from './access-sentences.js';
import { browseSentences } from './browse-sentences.js';
import { downloadSentences } from './download-sentences.js';
import { drillSentences } from './drill-sentences.js';
import { enrollmentSentences } from './enrollment-sentences.js';
import { auditSentences } from './audit-sentences.js';
import { gateSentences } from './gate-sentences.js';
import { leaseSentences } from './lease-sentences.js';
import { reachSentences } from './reach-sentences.js';
import { restoreSentences } from './restore-sentences.js';
import { says, type Sentence } from './sentence.js';
import { spaceSentences } from './space-sentences.js';
import { trashSentences } from './trash-sentences.js';
import { verificationSentences } from './verification-sentences.js';

function lastLine(facts: Readonly<Record<string, string>>): string {
  return facts.lastLine ? `; the last it wrote is: ${facts.lastLine}` : '';
}

export const sentences = {
  // What a caller asks for.
  HOST_NOT_FOUND: says(
    'NOT_FOUND',
    (f) => `There is no host "${f.host}".`,
    () => 'List the hosts with: busy hosts',
  ),
  HOST_EXISTS: says(
    'ALREADY_EXISTS',
    (f) => `There is already a host "${f.host}".`,
    (f) =>
      `Look at it with: busy host show ${f.host}; change it with: busy host edit ${f.host} SETTING=VALUE`,
  ),
  HOST_INVALID: says(
    'INVALID_ARGUMENT',
    (f) => `The settings of host "${f.host}" are refused:\n${f.problems}`,
    () => 'Nothing was changed. config/busy.example.yaml explains every setting.',
  ),
  HOST_CHANGED: says(
    'ABORTED',
    (f) => `Host "${f.host}" was changed by someone else meanwhile.`,
    (f) => `Look at it again (busy host show ${f.host}), then repeat what is still wanted.`,
  ),
  HOSTS_IN_FILE: says(
    'FAILED_PRECONDITION',
    (f) => `The hosts stand in the configuration file ${f.file}, so they cannot be changed by a call.`,
    (f) =>
      `Edit ${f.file}, then: busy reload. Hosts are taken from the database only when that file names none.`,
  ),
  WINDOW_CLOSED: says(
    'FAILED_PRECONDITION',
    (f) => `The window of host "${f.host}" had closed when its turn came.`,
    () =>
      'It is backed up when its window is open again. If that happens often, raise max_running or widen the window.',
  ),
  CONFIG_INVALID: says(
    'FAILED_PRECONDITION',
    (f) => `The configuration ${f.file} is refused:\n${f.problems}`,
    () => 'Nothing of it is in effect. Correct it, then: busy reload',
  ),
  RUN_NOT_FOUND: says(
    'NOT_FOUND',
    (f) => `There is no run "${f.run}".`,
    () => 'List the runs with: busy runs',
  ),
  SNAPSHOT_NOT_FOUND: says(
    'NOT_FOUND',
    (f) => `Host "${f.host}" has no snapshot "${f.snapshot}".`,
    (f) => `List its snapshots with: busy snapshots ${f.host}`,
  ),
  HOST_BUSY: says(
    'ABORTED',
    (f) =>
      `Host "${f.host}" already has ${f.kind === 'archiving' ? 'an archive run' : `a ${f.kind ?? 'backup'}`} that has not ended (run ${f.run}).`,
    (f) => `Follow it with: busy logs ${f.run} --follow; or stop it with: busy cancel ${f.run}`,
  ),
  RUN_ENDED: says(
    'FAILED_PRECONDITION',
    (f) => `Run ${f.run} has already ended as ${f.state}.`,
    () => 'Nothing is left to cancel.',
  ),
  OFFSET_OUT_OF_RANGE: says(
    'OUT_OF_RANGE',
    (f) => `The log of run ${f.run} has ${f.size} bytes; there is no offset ${f.offset}.`,
    () => 'Start at 0 or at a next_offset that was answered before.',
  ),
  INVALID_ARGUMENT: says(
    'INVALID_ARGUMENT',
    (f) => `${f.field}: ${f.problem}`,
    (f) => f.allowed ?? 'Correct the value and call again.',
  ),
  DAEMON_STOPPING: says(
    'UNAVAILABLE',
    () => 'The daemon is stopping.',
    () => 'Call again when it has started.',
  ),

  ...accessSentences,
  ...enrollmentSentences,

  ...reachSentences,
  ...downloadSentences,
  ...drillSentences,
  ...gateSentences,
  ...archiveSentences,

  // The administrator's own scripts and commands.
  PRE_BACKUP_FAILED: says(
    'FAILED_PRECONDITION',
    (f) => `${f.script} ${f.ending}, so host "${f.host}" was not backed up${lastLine(f)}.`,
    () => 'The log of the run has what it wrote. A backup is made only when the script ends with code 0.',
  ),
  PRE_COMMAND_FAILED: says(
    'FAILED_PRECONDITION',
    (f) => `The pre_command of host "${f.host}" ${f.ending}, so it was not backed up${lastLine(f)}.`,
    (f) =>
      `The log of the run has what it wrote. Try it there as user "${f.user}"; a key that is restricted to rsync (rrsync or command= in authorized_keys) can run no command.`,
  ),

  // Copying.
  RSYNC_MISSING: says(
    'FAILED_PRECONDITION',
    (f) => `rsync cannot be started on ${f.where}.`,
    (f) =>
      f.where === 'the server'
        ? 'Install it (for example: apt-get install rsync).'
        : 'Install it there (for example: apt-get install rsync python3; rrsync is written in Python), or set rsync_path. Where authorized_keys limits the key to rrsync, its path must be right.',
  ),
  RSYNC_NOT_STARTED: says(
    'RESOURCE_EXHAUSTED',
    (f) => `rsync on the server could not be started: ${f.detail}.`,
    () =>
      'Does the server lack memory, processes (TasksMax, ulimit -u) or open files? Then try again; what is due by the schedule is.',
  ),
  RSYNC_TOO_OLD: says(
    'FAILED_PRECONDITION',
    (f) =>
      `rsync on the server is ${f.version}; 3.2.4 or newer is needed, since older ones trust names from the host.`,
    () => 'Install a newer rsync on the server. Hosts may keep theirs.',
  ),
  CONFINEMENT_MISSING: says(
    'FAILED_PRECONDITION',
    (f) => `The rsync on the server cannot be confined, and confine is required: ${f.detail}.`,
    () => 'Install bubblewrap (apt-get install bubblewrap) and look at busy doctor; or set confine to auto.',
  ),
  RSYNC_OUT_OF_MEMORY: says(
    'RESOURCE_EXHAUSTED',
    (f) =>
      `The rsync on the server ran out of memory with the file list of ${f.source} of host "${f.host}"; it may use ${f.limit}.`,
    () => 'Does a directory there hold millions of names? Raise rsync_memory, or exclude it.',
  ),
  SOURCE_MISSING: says(
    'FAILED_PRECONDITION',
    (f) => `The source directory ${f.source} does not exist on host "${f.host}".`,
    () => 'Correct srcdirs, or mount the directory.',
  ),
  SOURCE_UNREADABLE: says(
    'FAILED_PRECONDITION',
    (f) => `The source directory ${f.source} on host "${f.host}" cannot be read by user "${f.user}".`,
    () => 'Give the user the right to read it, for example with rsync_path: sudo rsync.',
  ),
  FILES_MISSING: says(
    'FAILED_PRECONDITION',
    (f) =>
      `${f.count} files below ${f.source} are missing from the snapshot or incomplete, the first: ${f.first}.`,
    () =>
      'See the list in the run or in snapshot.json. Give the user the right to read them, or exclude them.',
  ),
  FILES_VANISHED: says(
    'FAILED_PRECONDITION',
    (f) => `${f.count} files below ${f.source} vanished while they were copied, the first: ${f.first}.`,
    () => 'If that is normal there, add their paths to volatile; otherwise back up when the host is quiet.',
  ),
  ...spaceSentences,
  BACKUPDIR_UNUSABLE: says(
    'FAILED_PRECONDITION',
    (f) => `The backup directory ${f.backupdir} cannot be used: ${f.detail}.`,
    () => 'Create or mount it and give the daemon the right to write there.',
  ),
  BACKUPDIR_IN_USE: says(
    'FAILED_PRECONDITION',
    (f) => `The backup directory ${f.backupdir} belongs to ${f.owner}, so this one writes nothing there.`,
    (f) =>
      `Stop what uses it, or set another backupdir. If that is gone for good, remove ${f.file} and try again.`,
  ),
  RSYNC_FAILED: says(
    'INTERNAL',
    (f) => `rsync ended with ${f.ending} for ${f.source}: ${f.detail}.`,
    () => 'The log of the run has all that rsync said.',
  ),
  RSYNC_KILLED: says(
    'INTERNAL',
    (f) =>
      `rsync on ${f.where} was killed (${f.ending}) ${f.source === undefined ? 'before it copied anything' : `while it copied ${f.source}`}.`,
    () =>
      'Look for the reason in the system log there (for example out of memory). The next backup goes on from what was copied.',
  ),

  ...restoreSentences,
  ...browseSentences,
  ...verificationSentences,
  ...leaseSentences,
  ...trashSentences,
  ...auditSentences,

  // Mail.
  MAIL_FAILED: says(
    'FAILED_PRECONDITION',
    (f) => `The mail to ${f.recipient} could not be sent through ${f.way}: ${f.detail}.`,
    () => 'Check the section mail of the configuration, then try again with: busy mail-test',
  ),
  MAIL_NOWHERE: says(
    'FAILED_PRECONDITION',
    () => 'There is no address to send a mail to.',
    () => 'Name one (busy mail-test ADDRESS), or set email for a host in the configuration.',
  ),

  // The daemon itself.
  DATABASE_UNAVAILABLE: says(
    'UNAVAILABLE',
    (f) => `The database ${f.database} is not available: ${f.detail}.`,
    () =>
      'Look after the database (busy info shows since when). Backups that run go on, and are recorded when it is back.',
  ),
  CANCELLED: says(
    'ABORTED',
    (f) => `The run was cancelled${f.by ? ` ${f.by}` : ''}.`,
    () => 'What was copied helps the next backup.',
  ),
  CANCELLED_BY_STOP: says(
    'ABORTED',
    () => 'The run was cancelled because the daemon stops.',
    () => 'It is started again after the next start when it is due, and goes on from what was copied.',
  ),
  RUN_TIMED_OUT: says(
    'UNAVAILABLE',
    (f) => `The backup of host "${f.host}" took longer than its timeout, so it was stopped.`,
    () => 'Raise timeout, or look for what makes it slow. The next backup goes on from what was copied.',
  ),
  EXECUTOR_DIED: says(
    'INTERNAL',
    (f) => `The executor process that carried the run ended (${f.ending}).`,
    () => 'Start it again. If it happens again, look for lack of memory, and report it.',
  ),
  DAEMON_DIED: says(
    'INTERNAL',
    () => 'The daemon ended while the run was carried out.',
    () => 'Start it again; a backup goes on from what was copied.',
  ),
  INTERNAL: says(
    'INTERNAL',
    (f) => `Unexpected: ${f.what}.`,
    () => 'This is a defect in BUSY. The log of the daemon has more.',
  ),
} as const satisfies Record<string, Sentence>;
