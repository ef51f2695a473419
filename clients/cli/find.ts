/** The command `find`: files by their names, in all snapshots of a host or in one. */
import { FileType, FoundFile } from '../../src/gen/busy/v1/browse.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { usageError } from './cli-error.js';
import { exitCodes } from './exit-codes.js';
import { fileColumns, namedFile } from './file-format.js';
import { helpText } from './help.js';
import { formatCount } from './human-format.js';
import type { Commands, Session } from './session.js';
import { addAsOfOption, nameSnapshot, readSnapshotWord, type AsOfOption } from './snapshot-word.js';

export function addFindCommand({ program, action }: Commands): void {
  addAsOfOption(program.command('find'))
    .description('find files by name in all snapshots and archives of a host, or in one; newest first')
    .argument('<host>', 'HOST for all of its snapshots, or HOST/SNAPSHOT')
    .argument('<pattern>', '"*.conf" for a name anywhere, "/etc/**/*.conf" for a whole path')
    .option('--type <type>', `only of this type: ${[...typeWords.keys()].join(', ')}`, collectType)
    .addHelpText(
      'after',
      helpText(["busy find web1 'hosts*'", "busy find web1 '/home/**/*.odt' --type file"]),
    )
    .action(action(find));
}

interface FindOptions extends AsOfOption {
  readonly type?: readonly FileType[];
}

async function find(
  { connection, printer, signal }: Session,
  word: string,
  pattern: string,
  { asOf, type = [] }: FindOptions,
): Promise<number | void> {
  const { host, name } = await nameSnapshot(connection, readSnapshotWord(word), { asOf });
  const request = { host, snapshot: name, pattern, types: [...type] };
  let hasSkipped = false;
  for await (const step of connection.stream(SnapshotServiceService.findFiles, request)) {
    for (const { snapshot, message } of step.skipped) {
      hasSkipped = true;
      printer.note(`${snapshot} was not searched: ${message}`);
    }
    for (const found of step.found) {
      if (printer.isJson) printer.json(FoundFile.toJSON(found));
      else if (found.file)
        printer.line(`${found.snapshot}  ${fileColumns(found.file)}  ${namedFile(found.file)}`);
    }
    const { progress } = step;
    if (progress) {
      const place = `${progress.snapshotsDone + 1} of ${progress.snapshotCount}`;
      printer.status(`${progress.snapshot} (${place}): ${formatCount(progress.entries)} entries`);
    }
    await printer.drained(signal);
  }
  return hasSkipped ? exitCodes.failed : undefined;
}

const typeWords: ReadonlyMap<string, FileType> = new Map(
  Object.values(FileType)
    .filter((value): value is FileType => typeof value === 'number' && value !== FileType.UNSPECIFIED)
    .map((value) => [FileType[value].toLowerCase().replaceAll('_', '-'), value]),
);

function collectType(text: string, before: readonly FileType[] = []): readonly FileType[] {
  const type = typeWords.get(text);
  if (type === undefined)
    throw usageError(
      `There is no type ${JSON.stringify(text)}.`,
      `The types are: ${[...typeWords.keys()].join(', ')}.`,
    );
  return [...before, type];
}
