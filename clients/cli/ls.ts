/** The command `ls`: one directory of a snapshot. */
import { ListFilesResponse } from '../../src/gen/busy/v1/browse.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { fileColumns, lastPart, namedFile } from './file-format.js';
import { helpText } from './help.js';
import type { Commands, Session } from './session.js';
import {
  addAsOfOption,
  readSnapshotWord,
  resolveSnapshot,
  snapshotWordHelp,
  type AsOfOption,
} from './snapshot-word.js';

/** A directory of an archive is found by reading its list from the start. */
const pageTimeoutMs = 10 * 60_000;
const pageSize = 1000;

export function addLsCommand({ program, action }: Commands): void {
  addAsOfOption(program.command('ls'))
    .description('list a directory of a snapshot or an archive')
    .argument('<host>', snapshotWordHelp)
    .argument('[path]', 'the path on the host, from its root on', '/')
    .addHelpText(
      'after',
      helpText([
        'busy ls web1 /etc',
        'busy ls web1/2026-11-22_20-00-05f /home',
        'busy ls web1 --as-of 2026-11-01',
      ]),
    )
    .action(action(list));
}

async function list(
  { connection, printer, signal }: Session,
  word: string,
  path: string,
  options: AsOfOption,
): Promise<void> {
  const { host, name } = await resolveSnapshot(connection, readSnapshotWord(word), options);
  const whole = ListFilesResponse.create({ snapshot: name });
  let pageToken = '';
  do {
    const request = { host, snapshot: name, path, pageSize, pageToken };
    const page = await connection.call(SnapshotServiceService.listFiles, request, pageTimeoutMs);
    pageToken = page.nextPageToken;
    if (printer.isJson) {
      whole.files.push(...page.files);
      whole.isArchived = page.isArchived;
      continue;
    }
    for (const file of page.files)
      printer.line(`${fileColumns(file)}  ${namedFile(file, lastPart(file.path))}`);
    await printer.drained(signal);
  } while (pageToken !== '');
  if (printer.isJson) printer.json(ListFilesResponse.toJSON(whole));
}
