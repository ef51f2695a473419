/** The command `diff`: what differs between two snapshots. */
import {
  DifferenceState,
  DiffSummary,
  FileDifference,
  FileType,
  type File,
} from '../../src/gen/busy/v1/browse.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { changesText, namedFile } from './file-format.js';
import { helpText } from './help.js';
import { formatBytes, formatCount } from './human-format.js';
import { usageError } from './cli-error.js';
import type { Commands, Session } from './session.js';
import {
  addAsOfOption,
  nameSnapshot,
  readSnapshotWord,
  resolveSnapshot,
  snapshotWordHelp,
  type AsOfOption,
  type SnapshotWord,
} from './snapshot-word.js';
import { parseTimeWord } from './time-word.js';

export function addDiffCommand({ program, action }: Commands): void {
  const command = addAsOfOption(program.command('diff'), 'the older: the newest snapshot')
    .description('show what differs between two snapshots, or the newest two of a host')
    .argument('<host>', `the older: ${snapshotWordHelp}; HOST alone: its newest two`)
    .argument('[other]', 'the newer: HOST/SNAPSHOT, or HOST for its newest')
    .argument('[path]', 'only this path and what is below it')
    .option('--and <time>', 'the newer: the newest snapshot at or before then (default: the newest)')
    .option('--summary', 'only the counts at the end')
    .addHelpText(
      'after',
      helpText([
        'busy diff web1',
        'busy diff web1 /etc',
        'busy diff web1 /etc --as-of 2026-11-01 --and "2026-11-15 12:00"',
        'busy diff web1/2026-11-21_20-00-05f web1/2026-11-22_20-00-05i /etc',
      ]),
    );
  command.action(action(diff));
}

interface Options extends AsOfOption {
  readonly and?: string;
  readonly summary?: boolean;
}

async function diff(
  session: Session,
  word: string,
  otherOrPath: string | undefined,
  pathAfter: string | undefined,
  options: Options,
): Promise<void> {
  const { connection, printer, signal } = session;
  // A path begins with a slash, and the name of no host does.
  const isPath = otherOrPath?.startsWith('/') === true && pathAfter === undefined;
  const path = (isPath ? otherOrPath : pathAfter) ?? '';
  const other = isPath || otherOrPath === undefined ? null : readSnapshotWord(otherOrPath);
  const { older, newer } = await sidesOf(session, { older: readSnapshotWord(word), other }, options);
  const request = {
    host: older.host,
    snapshot: older.name,
    otherHost: newer.host,
    otherSnapshot: newer.name,
    path,
  };
  for await (const step of connection.stream(SnapshotServiceService.diffSnapshots, request)) {
    for (const difference of options.summary === true ? [] : step.differences) {
      if (printer.isJson) printer.json(FileDifference.toJSON(difference));
      else printer.line(differenceLine(difference));
    }
    if (step.progress) printer.status(`${formatCount(step.progress.entries)} entries compared`);
    if (step.summary) {
      printer.status('');
      if (printer.isJson) printer.json({ summary: DiffSummary.toJSON(step.summary) });
      else printer.line(summaryText(step.summary));
    }
    await printer.drained(signal);
  }
}

interface Sides {
  readonly older: SnapshotWord;
  readonly newer: SnapshotWord;
}

/** What the request names; empty where the daemon chooses. Throws a usage error, or what the daemon says. */
async function sidesOf(
  { connection }: Session,
  { older, other }: { readonly older: SnapshotWord; readonly other: SnapshotWord | null },
  { asOf, and }: Options,
): Promise<Sides> {
  const time = and === undefined ? undefined : parseTimeWord('--and', and);
  if (time !== undefined && asOf === undefined && older.name === '')
    throw usageError('--and names the newer of two.', 'Say of which time the older is, with --as-of.');
  if (time !== undefined && other !== null && other.name !== '')
    throw usageError('--and beside the name of the newer says nothing.', 'Give one of the two.');
  const known = await nameSnapshot(connection, older, { asOf });
  const newer = other ?? { host: asOf === undefined && and === undefined ? '' : older.host, name: '' };
  if (and === undefined) return { older: known, newer };
  const { host, name } = await resolveSnapshot(connection, newer, { asOf: and });
  return { older: known, newer: { host, name } };
}

function differenceLine({ state, before, after, changes }: FileDifference): string {
  const file = after ?? before;
  if (!file) return '';
  const name = namedFile(file);
  switch (state) {
    case DifferenceState.ADDED:
      return `+ ${name}${sizeText(file)}`;
    case DifferenceState.REMOVED:
      return `- ${name}${sizeText(file)}`;
    case DifferenceState.CHANGED:
      return `M ${name}  (${changesText(changes)}${growthText(before, after)})`;
    case DifferenceState.METADATA:
      return `m ${name}  (${changesText(changes)})`;
    case DifferenceState.UNSPECIFIED:
      return `? ${name}`;
    default:
      return state satisfies never;
  }
}

function sizeText({ type, size }: File): string {
  return type === FileType.FILE ? `  (${formatBytes(size)})` : '';
}

function growthText(before: File | undefined, after: File | undefined): string {
  if (!before || !after || before.size === after.size) return '';
  return `; ${formatBytes(before.size)} -> ${formatBytes(after.size)}`;
}

function summaryText(summary: DiffSummary): string {
  const { added, removed, changed, metadata, unchanged } = summary;
  const parts = [
    `${formatCount(added)} added (${formatBytes(summary.addedBytes)})`,
    `${formatCount(removed)} removed (${formatBytes(summary.removedBytes)})`,
    `${formatCount(changed)} changed (${formatBytes(summary.changedBytesBefore)} -> ${formatBytes(summary.changedBytesAfter)})`,
    `${formatCount(metadata)} only in mode, owner or time`,
    `${formatCount(unchanged)} the same`,
  ];
  return `${summary.snapshot} -> ${summary.otherSnapshot}: ${parts.join(', ')}.`;
}
