/** The commands `runs`, `run` and `cancel`. */
import {
  BackupServiceService,
  CancelRunResponse,
  GetRunResponse,
} from '../../src/gen/busy/v1/backup_service.js';
import { Run, type RunState } from '../../src/gen/busy/v1/run.js';
import { helpText } from './help.js';
import { formatBytes, formatCount, formatTime } from './human-format.js';
import { collectState, parseCount } from './options.js';
import { collectPages } from './pages.js';
import { tookText } from './progress-line.js';
import { printRun, sentOfRun } from './run-report.js';
import type { Commands, Session } from './session.js';
import { isBackup, kindName, runStateCell, typeName } from './states.js';

export function addRunCommands({ program, action }: Commands): void {
  program
    .command('runs')
    .description('list runs, newest first')
    .option('--host <name>', 'only of this host')
    .option('--state <state>', 'only in this state; may be given again', collectState)
    .option('--limit <count>', 'at most so many; default: all', parseCount)
    .addHelpText(
      'after',
      helpText(['busy runs --host web1 --limit 10', 'busy runs --state failed --state partial']),
    )
    .action(action(listRuns));
  program
    .command('run')
    .description('show a run: its state, jobs and missing files')
    .argument('<id>', 'the run')
    .addHelpText('after', helpText(['busy run 01KAP6Y0G3V8Z9D4WQ5J7N2XTB']))
    .action(action(showRun));
  program
    .command('cancel')
    .description('ask a run to stop; what it copied helps the next backup')
    .argument('<run>', 'the run')
    .addHelpText('after', helpText(['busy cancel 01KAP6Y0G3V8Z9D4WQ5J7N2XTB']))
    .action(action(cancelRun));
}

interface ListOptions {
  readonly host?: string;
  readonly state?: readonly RunState[];
  readonly limit?: number;
}

async function listRuns({ connection, printer, now }: Session, options: ListOptions): Promise<void> {
  const { host = '', state = [], limit } = options;
  const runs = await collectPages(async (page) => {
    const answer = await connection.call(BackupServiceService.listRuns, {
      ...page,
      host,
      states: [...state],
    });
    return { items: answer.runs, nextPageToken: answer.nextPageToken };
  }, limit);
  if (printer.isJson) return printer.json({ runs: runs.map((run) => Run.toJSON(run)) });
  printer.table(
    ['RUN', 'HOST', 'TYPE', 'STATE', 'STARTED', 'TOOK', 'FILES', 'BYTES', 'WHY'],
    runs.map((run) => {
      const { files, bytes } = sentOfRun(run);
      return [
        run.id,
        run.host,
        whatOf(run),
        runStateCell(run.state),
        formatTime(run.startedAt),
        tookText(run, now()),
        formatCount(files),
        formatBytes(bytes),
        run.error?.message ?? run.typeReason,
      ];
    }),
    'There are no such runs.',
  );
}

/** Of a backup its type, of others what they do. */
function whatOf(run: Run): string {
  return isBackup(run) ? typeName(run.type) : kindName(run.kind);
}

async function showRun({ connection, printer, now }: Session, id: string): Promise<void> {
  const answer = await connection.call(BackupServiceService.getRun, { id });
  if (printer.isJson) return printer.json(GetRunResponse.toJSON(answer));
  if (answer.run !== undefined) printRun(printer, answer.run, now());
}

async function cancelRun({ connection, printer }: Session, id: string): Promise<void> {
  const answer = await connection.call(BackupServiceService.cancelRun, { id });
  if (printer.isJson) return printer.json(CancelRunResponse.toJSON(answer));
  if (answer.run === undefined) return;
  printer.line(
    `Run ${answer.run.id} of ${answer.run.host} was asked to stop and is now `,
    runStateCell(answer.run.state),
  );
}
