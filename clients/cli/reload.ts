/** The command `reload`. */
import { DaemonServiceService, ReloadConfigResponse } from '../../src/gen/busy/v1/daemon_service.js';
import { helpText } from './help.js';
import type { Commands, Session } from './session.js';

export function addReloadCommand({ program, action }: Commands): void {
  program
    .command('reload')
    .description('take over the changed configuration file; a bad one changes nothing')
    .addHelpText('after', helpText(['busy reload']))
    .action(action(reload));
}

async function reload({ connection, printer }: Session): Promise<void> {
  const answer = await connection.call(DaemonServiceService.reloadConfig, {});
  if (printer.isJson) return printer.json(ReloadConfigResponse.toJSON(answer));
  printer.line(`The configuration was taken over, with ${answer.hostCount} hosts.`);
  if (answer.needsRestart.length > 0)
    printer.note(`these changed settings need a restart of busyd: ${answer.needsRestart.join(', ')}`);
}
