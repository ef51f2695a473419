/** The command `history`: in which snapshots a path exists, and where it changed. */
import { FileVersion, FileVersionState } from '../../src/gen/busy/v1/browse.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { changesText, fileColumns } from './file-format.js';
import { helpText } from './help.js';
import type { Commands, Session } from './session.js';

export function addHistoryCommand({ program, action }: Commands): void {
  program
    .command('history')
    .description('show in which snapshots and archives a path exists, and where it changed; oldest first')
    .argument('<host>', 'the host')
    .argument('<path>', 'the path on the host, from its root on')
    .option('--all', 'also the snapshots in which nothing changed')
    .addHelpText(
      'after',
      helpText(['busy history web1 /etc/hosts', 'busy history web1 /etc/hosts --all --json']),
    )
    .action(action(showHistory));
}

async function showHistory(
  { connection, printer, signal }: Session,
  host: string,
  path: string,
  { all = false }: { readonly all?: boolean },
): Promise<void> {
  let same = 0;
  let isThere = false;
  for await (const { versions } of connection.stream(SnapshotServiceService.listFileVersions, {
    host,
    path,
  })) {
    for (const version of versions) {
      const isQuiet = version.state === FileVersionState.SAME || version.state === FileVersionState.ABSENT;
      isThere ||= version.file !== undefined;
      if (version.state === FileVersionState.SAME) same += 1;
      if (isQuiet && !all) continue;
      if (printer.isJson) printer.json(FileVersion.toJSON(version));
      else printer.line(versionLine(version));
    }
    await printer.drained(signal);
  }
  if (printer.isJson) return;
  if (!isThere) printer.line(`No snapshot of ${host} has ${path}.`);
  else if (same > 0 && !all) printer.line(`As in the one before in ${same} more; see them with --all.`);
}

function versionLine(version: FileVersion): string {
  const { snapshot, file, isArchived, message } = version;
  const name = `${snapshot?.name ?? ''}${isArchived ? ' (archive)' : ''}`;
  const text = message === '' ? stateText(version) : `unknown: ${message}`;
  return file ? `${name}  ${fileColumns(file)}  ${text}` : `${name}  ${text}`;
}

function stateText({ state, changes }: FileVersion): string {
  switch (state) {
    case FileVersionState.FIRST:
      return 'first seen';
    case FileVersionState.SAME:
      return 'same';
    case FileVersionState.CHANGED:
      return changes.length === 0 ? 'back again' : `changed: ${changesText(changes)}`;
    case FileVersionState.GONE:
      return 'gone';
    case FileVersionState.ABSENT:
      return 'not there';
    case FileVersionState.UNKNOWN:
    case FileVersionState.UNSPECIFIED:
      return 'unknown';
    default:
      return state satisfies never;
  }
}
