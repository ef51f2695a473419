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
import type { Commands, Session } from './session.js';
import { readSnapshotWord, snapshotWordHelp } from './snapshot-word.js';

export function addDiffCommand({ program, action }: Commands): void {
  program
    .command('diff')
    .description('show what differs between two snapshots, or the newest two of a host')
    .argument('<host>', `the older: ${snapshotWordHelp}; HOST alone: its newest two`)
    .argument('[other]', 'the newer: HOST/SNAPSHOT, or HOST for its newest')
    .argument('[path]', 'only this path and what is below it')
    .option('--summary', 'only the counts at the end')
    .addHelpText(
      'after',
      helpText([
        'busy diff web1',
        'busy diff web1 /etc',
        'busy diff web1/2026-11-21_20-00-05f web1/2026-11-22_20-00-05i /etc',
      ]),
    )
    .action(action(diff));
}

async function diff(
  { connection, printer, signal }: Session,
  word: string,
  otherOrPath: string | undefined,
  pathAfter: string | undefined,
  { summary: isBrief = false }: { readonly summary?: boolean },
): Promise<void> {
  // A path begins with a slash, and the name of no host does.
  const isPath = otherOrPath?.startsWith('/') === true && pathAfter === undefined;
  const path = (isPath ? otherOrPath : pathAfter) ?? '';
  const older = readSnapshotWord(word);
  const newer = isPath || otherOrPath === undefined ? { host: '', name: '' } : readSnapshotWord(otherOrPath);
  const request = {
    host: older.host,
    snapshot: older.name,
    otherHost: newer.host,
    otherSnapshot: newer.name,
    path,
  };
  for await (const step of connection.stream(SnapshotServiceService.diffSnapshots, request)) {
    for (const difference of isBrief ? [] : step.differences) {
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
