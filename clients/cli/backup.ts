/** The command `backup`. */
import { Option } from 'commander';
import { BackupServiceService, TriggerBackupResponse } from '../../src/gen/busy/v1/backup_service.js';
import { BackupType, Run } from '../../src/gen/busy/v1/run.js';
import { followRun } from './follow.js';
import { helpText } from './help.js';
import type { Commands, Session } from './session.js';
import { runStateCell } from './states.js';

export function addBackupCommand({ program, action }: Commands): void {
  program
    .command('backup')
    .description('start a backup of a host')
    .argument('<host>', 'the host')
    .addOption(
      new Option(
        '--type <type>',
        'full copies all; incremental links what is unchanged; auto lets busyd decide',
      )
        .choices(Object.keys(types))
        .default('auto'),
    )
    .option('--follow', 'show log and progress until the run has ended')
    .option(
      '--accept-changes',
      'the source may have changed as much as it has: neither end it nor hold its snapshot',
    )
    .option('--request-id <id>', 'the same id answers the same run again')
    .addHelpText('after', helpText(['busy backup web1', 'busy backup web1 --type full --follow'], true))
    .action(action(startBackup));
}

interface BackupOptions {
  readonly type: keyof typeof types;
  readonly follow?: true;
  readonly acceptChanges?: true;
  readonly requestId?: string;
}

const types = {
  auto: BackupType.AUTO,
  full: BackupType.FULL,
  incremental: BackupType.INCREMENTAL,
} as const;

async function startBackup(session: Session, host: string, options: BackupOptions): Promise<number | void> {
  const { connection, printer } = session;
  const { requestId = '', acceptChanges = false } = options;
  const request = { host, type: types[options.type], requestId, acceptChanges };
  const answer = await connection.call(BackupServiceService.triggerBackup, request);
  const run = answer.run ?? Run.create();
  if (options.follow === true) return followRun(session, run);
  if (printer.isJson) return printer.json(TriggerBackupResponse.toJSON(answer));
  printer.line(`Run ${run.id} of ${run.host} is `, runStateCell(run.state));
  printer.line(`  Follow it with: busy logs ${run.id} --follow`);
}
