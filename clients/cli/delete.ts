/** The command `delete`: moves a snapshot to the trash. */
import { DeleteSnapshotResponse, SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { usageError } from './cli-error.js';
import { confirmed } from './confirmation.js';
import { helpText } from './help.js';
import { formatTime } from './human-format.js';
import type { Commands, Session } from './session.js';
import { addAsOfOption, nameSnapshot, readSnapshotWord, type AsOfOption } from './snapshot-word.js';

interface Options extends AsOfOption {
  readonly yes?: true;
  readonly confirm?: string;
}

export function addDeleteCommand({ program, action }: Commands): void {
  addAsOfOption(program.command('delete'))
    .description('move a snapshot to the trash, from which it goes for good after trash_days')
    .argument('<snapshot>', 'HOST/SNAPSHOT, or HOST with --as-of')
    .option('-y, --yes', 'yes, do it')
    .option(
      '--confirm <host/snapshot>',
      'repeat its name; for a snapshot that the host should not be without',
    )
    .addHelpText(
      'after',
      helpText([
        'busy delete web1/2026-11-22_20-00-05i --yes',
        'busy delete web1 --as-of 2026-11-01',
        'busy trash',
      ]),
    )
    .action(action(deleteSnapshot));
}

async function deleteSnapshot(
  { connection, printer, ask }: Session,
  word: string,
  { yes, confirm, asOf }: Options,
): Promise<void> {
  if (asOf === undefined && !/^[^/]+\/[^/]+$/.test(word))
    throw usageError(`"${word}" is not a snapshot as HOST/SNAPSHOT.`, 'List them with: busy snapshots');
  const { host, name } = await nameSnapshot(connection, readSnapshotWord(word), { asOf });
  if (!yes && confirm === undefined)
    throw usageError(
      `This moves snapshot ${name} of ${host} to the trash.`,
      `To do so: busy delete ${host}/${name} --yes`,
    );
  const answer = await confirmed({ ask, printer }, confirm, (typed) =>
    connection.call(SnapshotServiceService.deleteSnapshot, { host, name, confirm: typed }),
  );
  if (printer.isJson) return printer.json(DeleteSnapshotResponse.toJSON(answer));
  const { entry } = answer;
  printer.line(`Snapshot ${name} of ${host} is in the trash until ${formatTime(entry?.goesAt)}.`);
  printer.line(`It comes back with: busy trash restore ${host}/${name}`);
}
