/** The commands `snapshots` and `snapshot`. */
import { Snapshot } from '../../src/gen/busy/v1/snapshot.js';
import { GetSnapshotResponse, SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { helpText } from './help.js';
import { formatAge, formatBytes, formatCount, formatTime } from './human-format.js';
import type { Cell } from './output.js';
import { collectPages } from './pages.js';
import type { Commands, Session } from './session.js';
import { linksText } from './run-report.js';
import {
  addAsOfOption,
  readSnapshotWord,
  resolveSnapshot,
  snapshotWordHelp,
  type AsOfOption,
} from './snapshot-word.js';
import { outcomeCell, typeName } from './states.js';

export function addSnapshotCommands({ program, action }: Commands): void {
  program
    .command('snapshots')
    .description('list snapshots, newest first')
    .argument('[host]', 'only of this host')
    .addHelpText('after', helpText(['busy snapshots web1']))
    .action(action(listSnapshots));
  addAsOfOption(program.command('snapshot'))
    .description('show a snapshot: where it is and what it holds')
    .argument('<host>', snapshotWordHelp)
    .argument('[name]', 'the snapshot')
    .addHelpText(
      'after',
      helpText(['busy snapshot web1/2026-11-22_20-00-05f', 'busy snapshot web1 --as-of 2026-11-22']),
    )
    .action(action(showSnapshot));
}

async function listSnapshots({ connection, printer, now }: Session, host: string = ''): Promise<void> {
  const snapshots = await collectPages(async (page) => {
    const answer = await connection.call(SnapshotServiceService.listSnapshots, { ...page, host });
    return { items: answer.snapshots, nextPageToken: answer.nextPageToken };
  });
  if (printer.isJson) {
    return printer.json({ snapshots: snapshots.map((snapshot) => Snapshot.toJSON(snapshot)) });
  }
  printer.table(
    [
      'HOST',
      'SNAPSHOT',
      'TYPE',
      'OUTCOME',
      'AGE',
      'ENTRIES',
      'SIZE',
      'SENT',
      'COPIED',
      'MISSING',
      'VERIFIED',
    ],
    snapshots.map((snapshot) => [
      snapshot.host,
      snapshot.name,
      typeName(snapshot.type),
      outcomeCell(snapshot),
      formatAge(snapshot.startedAt, now()),
      formatCount(snapshot.stats?.fileCount ?? 0),
      formatBytes(snapshot.stats?.totalBytes ?? 0),
      formatBytes(snapshot.stats?.transferredBytes ?? 0),
      formatBytes(snapshot.stats?.copiedBytes ?? 0),
      formatCount(snapshot.missingFileCount),
      verifiedCell(snapshot, now()),
    ]),
    'There are no snapshots.',
  );
}

async function showSnapshot(
  { connection, printer, now }: Session,
  word: string,
  name: string | undefined,
  options: AsOfOption,
): Promise<void> {
  const snapshot = await resolveSnapshot(connection, readSnapshotWord(word, name), options);
  if (printer.isJson) return printer.json(GetSnapshotResponse.toJSON({ snapshot }));
  const { stats } = snapshot;
  printer.facts([
    ['Host', snapshot.host],
    ['Snapshot', snapshot.name],
    ['Type', typeName(snapshot.type)],
    ['Outcome', outcomeCell(snapshot)],
    ...snapshot.heldFor.map(({ message }) => ['Held', message] as const),
    // Those of the original BUSY have no run, and no `data`.
    ['Files below', snapshot.runId === '' ? snapshot.path : `${snapshot.path}/data`],
    ['Sources', snapshot.sources.join(', ')],
    ['Started', `${formatTime(snapshot.startedAt)} (${formatAge(snapshot.startedAt, now())})`],
    ['Committed', formatTime(snapshot.committedAt)],
    ['Run', snapshot.runId || '-'],
    ['Linked to', snapshot.linkBases.join(', ') || '-'],
    ['Entries', formatCount(stats?.fileCount ?? 0)],
    ['Size', formatBytes(stats?.totalBytes ?? 0)],
    [
      'Sent',
      `${formatCount(stats?.filesTransferred ?? 0)} files, ${formatBytes(stats?.transferredBytes ?? 0)}`,
    ],
    ['Links', linksText(stats === undefined ? [] : [stats])],
    ['Missing', `${formatCount(snapshot.missingFileCount)} files`],
    ['Manifest', manifestText(snapshot)],
    ['Verified', snapshot.verifiedAt === undefined ? 'never' : formatTime(snapshot.verifiedAt)],
    ['Damaged', `${formatCount(snapshot.damagedFileCount)} files`],
  ]);
}

function manifestText({ manifest }: Snapshot): string {
  if (manifest === undefined) return 'none, so it cannot be verified';
  return `${formatCount(manifest.files)} files, ${formatBytes(manifest.bytes)}`;
}

function verifiedCell({ manifest, verifiedAt, damagedFileCount }: Snapshot, now: Date): Cell {
  if (damagedFileCount > 0) return { text: 'DAMAGED', colour: 'red' };
  if (manifest === undefined) return 'no manifest';
  return verifiedAt === undefined ? 'never' : formatAge(verifiedAt, now);
}
