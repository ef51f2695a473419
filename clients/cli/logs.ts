/** The command `logs`. */
import { BackupServiceService, StreamLogsResponse } from '../../src/gen/busy/v1/backup_service.js';
import { stoppedFollowing } from './follow.js';
import { helpText } from './help.js';
import { streamLog } from './log-stream.js';
import { parseWhole } from './options.js';
import type { Commands, Session } from './session.js';

export function addLogsCommand({ program, action }: Commands): void {
  program
    .command('logs')
    .description('print the log of a run')
    .argument('<run>', 'the run')
    .option('--follow', 'go on until the run has ended')
    .option(
      '--from <offset>',
      'begin at this byte: 0, or a nextOffset that was answered before',
      parseWhole,
      0,
    )
    .addHelpText('after', helpText(['busy logs 01KAP6Y0G3V8Z9D4WQ5J7N2XTB --follow']))
    .action(action(printLog));
}

interface LogsOptions {
  readonly follow?: true;
  readonly from: number;
}

async function printLog(session: Session, runId: string, options: LogsOptions): Promise<void> {
  const { connection, printer, interrupt, signal } = session;
  const follow = options.follow ?? false;
  // A run that is not there, or no daemon, is told at once instead of being tried again.
  await connection.call(BackupServiceService.getRun, { id: runId });
  const onLost = (): void => printer.note('The connection to busyd was lost; trying again.');
  try {
    for await (const message of streamLog(session, { runId, offset: options.from, follow }, onLost)) {
      if (printer.isJson) printer.json(StreamLogsResponse.toJSON(message));
      else for (const line of message.lines) printer.line(line);
      await printer.drained(signal);
    }
  } catch (error) {
    throw follow && interrupt.aborted ? stoppedFollowing(runId) : error;
  }
}
