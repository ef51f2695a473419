/** The command `explain`: why a host is or is not backed up now. */
import { ExplainHostResponse, HostServiceService } from '../../src/gen/busy/v1/host_service.js';
import { BackupType } from '../../src/gen/busy/v1/run.js';
import type { Snapshot } from '../../src/gen/busy/v1/snapshot.js';
import { helpText } from './help.js';
import { formatAge, formatTime } from './human-format.js';
import type { Commands, Session } from './session.js';

/** Addresses that do not answer are waited for. */
const explainTimeoutMs = 120_000;

export function addExplainCommand({ program, action }: Commands): void {
  program
    .command('explain')
    .description('say whether a host is backed up now, why or why not, and when')
    .argument('<host>', 'the host')
    .addHelpText('after', helpText(['busy explain web1']))
    .action(action(explainHost));
}

async function explainHost({ connection, printer, now }: Session, name: string): Promise<void> {
  const found = await connection.call(HostServiceService.explainHost, { name }, explainTimeoutMs);
  if (printer.isJson) return printer.json(ExplainHostResponse.toJSON(found));
  printer.facts([
    ['Host', name],
    ['Due', yesNo(found.isDue)],
    ['On schedule', yesNo(found.isOnSchedule)],
    ['Window open', yesNo(found.isWindowOpen)],
    ['Online', `${yesNo(found.isOnline)}: ${found.onlineReason}`],
    ['Newest', snapshotText(found.newestSnapshot, now())],
    ...(found.heldSnapshot === undefined ? [] : [['Held', heldText(found.heldSnapshot)] as const]),
    ['Newest full', snapshotText(found.youngestFullSnapshot, now())],
    ['Next type', `${BackupType[found.type]?.toLowerCase() ?? '-'}: ${found.typeReason}`],
    ['Space', found.space === '' ? '-' : `${found.isSpaceLow ? 'too little: ' : ''}${found.space}`],
    ['Failures', `${found.failuresInRow} in a row`],
    ['Waits for', found.waitsFor || 'nothing: it starts within seconds'],
    ['Next', found.nextAt === undefined ? '-' : formatTime(found.nextAt)],
  ]);
  printer.line('Because:');
  for (const reason of found.reasons) printer.line(`  ${reason}`);
}

function heldText({ name, heldFor }: Snapshot): string {
  return `${name}, so nothing older is removed: ${heldFor.map(({ message }) => message).join('; ')}`;
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}

function snapshotText(snapshot: Snapshot | undefined, now: Date): string {
  return snapshot === undefined ? '-' : `${snapshot.name}, ${formatAge(snapshot.startedAt, now)}`;
}
