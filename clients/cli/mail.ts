/** The command `mail-test`. */
import { DaemonServiceService, SendTestMailResponse } from '../../src/gen/busy/v1/daemon_service.js';
import { helpText } from './help.js';
import type { Commands, Session } from './session.js';

/** One mail may take a minute, and there may be several, in milliseconds. */
const mailTimeoutMs = 300_000;

export function addMailCommand({ program, action }: Commands): void {
  program
    .command('mail-test')
    .description('send a test mail at once, to see whether mails get through')
    .argument('[address]', 'where to; by default every address that the configuration of busyd names')
    .addHelpText('after', helpText(['busy mail-test', 'busy mail-test admin@example.org']))
    .action(action(sendTestMail));
}

async function sendTestMail({ connection, printer }: Session, address?: string): Promise<void> {
  const answer = await connection.call(
    DaemonServiceService.sendTestMail,
    { to: address ?? '' },
    mailTimeoutMs,
  );
  if (printer.isJson) return printer.json(SendTestMailResponse.toJSON(answer));
  for (const recipient of answer.recipients) printer.line(`A mail was sent to ${recipient}.`);
}
