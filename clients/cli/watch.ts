/** The command `watch`. */
import { WatchRunsResponse } from '../../src/gen/busy/v1/backup_service.js';
import type { Run } from '../../src/gen/busy/v1/run.js';
import { DaemonServiceService } from '../../src/gen/busy/v1/daemon_service.js';
import { helpText } from './help.js';
import { formatTime } from './human-format.js';
import { parseWhole } from './options.js';
import { renderProgressLine } from './progress-line.js';
import type { Commands, Session } from './session.js';
import { isEnded, runStateCell } from './states.js';
import { watchRuns } from './watch-stream.js';

export function addWatchCommand({ program, action }: Commands): void {
  program
    .command('watch')
    .description('print changes of runs until interrupted')
    .option('--host <name>', 'only of this host')
    .option('--run <id>', 'only of this run')
    .option('--after <revision>', 'also what changed after this revision', parseWhole, 0)
    .addHelpText('after', helpText(['busy watch', 'busy watch --host web1 --json'], true))
    .action(action(watch));
}

interface WatchOptions {
  readonly host?: string;
  readonly run?: string;
  readonly after: number;
}

async function watch(session: Session, options: WatchOptions): Promise<void> {
  const { connection, printer, signal, now } = session;
  // Without a daemon the command ends at once instead of trying again.
  await connection.call(DaemonServiceService.getDaemonInfo, {});
  const filter = { host: options.host ?? '', runId: options.run ?? '', afterRevision: options.after };
  for await (const run of watchRuns(session, filter, 'Start busyd, then watch again with: busy watch')) {
    if (printer.isJson) printer.json(WatchRunsResponse.toJSON({ run }));
    else
      printer.line(
        `${formatTime(now())}  ${run.id}  ${run.host}  `,
        runStateCell(run.state),
        `  ${detail(run)}`,
      );
    await printer.drained(signal);
  }
}

function detail(run: Run): string {
  if (!isEnded(run.state)) return renderProgressLine(run);
  return run.error?.message ?? run.snapshot;
}
