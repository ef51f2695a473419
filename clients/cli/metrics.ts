/** The command `metrics`. */
import { DaemonServiceService, GetMetricsResponse } from '../../src/gen/busy/v1/daemon_service.js';
import { helpText } from './help.js';
import type { Commands, Session } from './session.js';

export function addMetricsCommand({ program, action }: Commands): void {
  program
    .command('metrics')
    .description("print the daemon's metrics in the text format of Prometheus")
    .addHelpText(
      'after',
      helpText(['busy metrics', 'busy metrics --server backup.example.org:4000 > busy.prom.new']),
    )
    .action(action(showMetrics));
}

async function showMetrics({ connection, printer, signal }: Session): Promise<void> {
  const answer = await connection.call(DaemonServiceService.getMetrics, {});
  if (printer.isJson) return printer.json(GetMetricsResponse.toJSON(answer));
  if (printer.isTerminal) {
    for (const line of answer.text.trimEnd().split('\n')) printer.line(line);
    return;
  }
  printer.bytes(Buffer.from(answer.text));
  await printer.drained(signal);
}
