/** The command `drill`: tries a restore. */
import { Run } from '../../src/gen/busy/v1/run.js';
import { DrillRestoreResponse, SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { followRun } from './follow.js';
import { helpText } from './help.js';
import type { Commands, Session } from './session.js';
import {
  addAsOfOption,
  nameSnapshot,
  readSnapshotWord,
  snapshotWordHelp,
  type AsOfOption,
} from './snapshot-word.js';
import { runStateCell } from './states.js';

export function addDrillCommand({ program, action }: Commands): void {
  addAsOfOption(program.command('drill'))
    .description('restore a sample of a snapshot into a scratch directory and compare it with the manifest')
    .argument('<host>', snapshotWordHelp)
    .option('--snapshot <name>', 'of this snapshot; default: the newest good one')
    .option('--repeat <run>', 'take the same files as this drill')
    .option('-f, --follow', 'follow it to its end')
    .option('--request-id <id>', 'the same id answers the same run again')
    .addHelpText(
      'after',
      helpText(
        [
          'busy drill web1 --follow',
          'busy drill web1 --repeat RUN --follow',
          'busy drill web1 --as-of 2026-11-01 --follow',
        ],
        true,
      ),
    )
    .action(action(drill));
}

interface Options extends AsOfOption {
  readonly snapshot?: string;
  readonly repeat?: string;
  readonly follow?: true;
  readonly requestId?: string;
}

async function drill(session: Session, word: string, options: Options): Promise<number | void> {
  const { connection, printer } = session;
  const named = readSnapshotWord(word, options.snapshot);
  const { host, name } = await nameSnapshot(connection, named, options);
  const answer = await connection.call(SnapshotServiceService.drillRestore, {
    host,
    snapshot: name,
    repeatRunId: options.repeat ?? '',
    requestId: options.requestId ?? '',
  });
  const run = answer.run ?? Run.create();
  if (options.follow) return followRun(session, run);
  if (printer.isJson) return printer.json(DrillRestoreResponse.toJSON(answer));
  printer.line(`Run ${run.id} of ${run.host} is `, runStateCell(run.state));
  printer.line(`  Follow it with: busy logs ${run.id} --follow`);
}
