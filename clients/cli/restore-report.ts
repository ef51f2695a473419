/** What there is to say of a restore, in words for people. */
import { RestoreChangeKind, RestoreMode, type Restore } from '../../src/gen/busy/v1/restore.js';
import type { Run } from '../../src/gen/busy/v1/run.js';
import { formatBytes, formatCount } from './human-format.js';
import type { Fact, Printer } from './output.js';
import { tookText } from './progress-line.js';
import { isEnded } from './states.js';

export function restoreFacts(run: Run, restore: Restore, now: Date): Fact[] {
  const { paths, mode, dryRun, fromArchive } = restore;
  const shown = paths.slice(0, 5).join(', ');
  const facts: Fact[] = [
    ['Snapshot', `${run.snapshot}${fromArchive ? ' (its archive)' : ''}`],
    ['Paths', paths.length > 5 ? `${shown} and ${formatCount(paths.length - 5)} more` : shown],
    ['Target', targetText(run, restore)],
    ['Mode', `${modeName(mode)}${dryRun ? ', dry run: nothing was changed' : ''}`],
  ];
  const took: Fact = ['Took', tookText(run, now)];
  if (!isEnded(run.state)) return [...facts, took];
  const would = dryRun ? 'would be ' : '';
  const counts = [
    `${formatCount(restore.created)} ${would}created`,
    `${formatCount(restore.changed)} ${would}changed`,
    `${formatCount(restore.deleted)} ${would}deleted`,
    `${formatCount(restore.skipped)} left as they were`,
  ];
  return [...facts, ['Entries', counts.join(', ')], ['Bytes', formatBytes(restore.bytes)], took];
}

/** The changes, at most so many. */
export function printChanges(printer: Printer, { changes, changeCount }: Restore, limit: number): void {
  if (changes.length === 0) return;
  const shown = changes.slice(0, limit);
  printer.line('');
  for (const { kind, path } of shown) printer.line(`  ${signs[kind] ?? '?'} ${path}`);
  const more = changeCount - shown.length;
  if (more > 0) printer.line(`  and ${formatCount(more)} more, all in the log of the run`);
}

const signs: Readonly<Record<number, string>> = {
  [RestoreChangeKind.CREATED]: '+',
  [RestoreChangeKind.CHANGED]: '~',
  [RestoreChangeKind.DELETED]: '-',
};

function modeName(mode: RestoreMode): string {
  return RestoreMode[mode]?.toLowerCase().replaceAll('_', '-') ?? String(mode);
}

function targetText(run: Run, { target }: Restore): string {
  const place = target?.place;
  if (place?.$case === 'serverDirectory') return `${place.value} on the server`;
  if (place?.$case === 'hostDirectory') return `${place.value.host}:${place.value.directory}`;
  return `${run.host}, each to its own place`;
}
