/** The command `info`. */
import {
  DaemonServiceService,
  DatabaseState,
  GetDaemonInfoResponse,
} from '../../src/gen/busy/v1/daemon_service.js';
import { helpText } from './help.js';
import { formatAge, formatBytes, formatCount, formatTime } from './human-format.js';
import type { Commands, Session } from './session.js';

export function addInfoCommand({ program, action }: Commands): void {
  program
    .command('info')
    .description('show what the daemon is and how it is')
    .addHelpText('after', helpText(['busy info', 'busy info --server backup.example.org:4000']))
    .action(action(showInfo));
}

async function showInfo({ connection, printer, now }: Session): Promise<void> {
  const info = await connection.call(DaemonServiceService.getDaemonInfo, {});
  if (printer.isJson) return printer.json(GetDaemonInfoResponse.toJSON(info));
  printer.facts([
    ['Version', info.version],
    ['Started', `${formatTime(info.startedAt)} (${formatAge(info.startedAt, now())}), process ${info.pid}`],
    ['Configuration', info.configFile],
    ['State', info.stateDir],
    ['Database', `${info.database}${databaseTrouble(info)}`],
    ['Listens at', info.endpoints.join(', ')],
    ['Hosts', formatCount(info.hostCount)],
    ['Runs', `${info.runsRunning} running (at most ${info.maxRunning}), ${info.runsQueued} queued`],
    ['Executors', formatCount(info.executors)],
    ['rsync', info.rsyncVersion || 'none: no backup can be made'],
    ['Memory', formatBytes(info.memoryBytes)],
  ]);
  for (const disk of info.disks) {
    printer.line(`${disk.backupdir}: ${formatBytes(disk.freeBytes)} free of ${formatBytes(disk.totalBytes)}`);
  }
}

function databaseTrouble(info: GetDaemonInfoResponse): string {
  if (info.databaseState !== DatabaseState.UNAVAILABLE) return '';
  return `, not available since ${formatTime(info.databaseUnavailableSince)}: no backup begins`;
}
