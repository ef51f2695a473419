/** The command `verify`: reads snapshots and compares them with their manifests. */
import { SnapshotServiceService, VerifySnapshotResponse } from '../../src/gen/busy/v1/snapshot_service.js';
import { Run } from '../../src/gen/busy/v1/run.js';
import { followRun } from './follow.js';
import { helpText } from './help.js';
import type { Commands, Session } from './session.js';
import { addAsOfOption, nameSnapshot, readSnapshotWord, type AsOfOption } from './snapshot-word.js';
import { runStateCell } from './states.js';

export function addVerifyCommand({ program, action }: Commands): void {
  addAsOfOption(program.command('verify'))
    .description('read every byte of a snapshot, or of all of a host, and compare it with its manifest')
    .argument('<host>', 'the host; or HOST/SNAPSHOT')
    .argument('[snapshot]', 'only this snapshot')
    .option('--no-follow', 'start it and come back at once')
    .option('--request-id <id>', 'the same id answers the same run again')
    .addHelpText(
      'after',
      helpText(['busy verify web1', 'busy verify web1 2026-11-22_20-00-05f --json'], true),
    )
    .action(action(verify));
}

interface VerifyOptions extends AsOfOption {
  readonly follow: boolean;
  readonly requestId?: string;
}

async function verify(
  session: Session,
  target: string,
  snapshot: string | undefined,
  options: VerifyOptions,
): Promise<number | void> {
  const { connection, printer } = session;
  const { host, name } = await nameSnapshot(connection, readSnapshotWord(target, snapshot), options);
  const request = { host, name, requestId: options.requestId ?? '' };
  const answer = await connection.call(SnapshotServiceService.verifySnapshot, request);
  const run = answer.run ?? Run.create();
  if (options.follow) return followRun(session, run);
  if (printer.isJson) return printer.json(VerifySnapshotResponse.toJSON(answer));
  printer.line(`Run ${run.id} of ${run.host} is `, runStateCell(run.state));
  printer.line(`  Follow it with: busy logs ${run.id} --follow`);
}
