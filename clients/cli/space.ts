/** The command `space`: what snapshots take up, and what deleting each of them would free. */
import {
  HostSpace,
  SnapshotServiceService,
  type SpaceProgress,
} from '../../src/gen/busy/v1/snapshot_service.js';
import { helpText } from './help.js';
import { formatAge, formatBytes, formatCount } from './human-format.js';
import type { Commands, Session } from './session.js';
import { typeName } from './states.js';

export function addSpaceCommand({ program, action }: Commands): void {
  program
    .command('space')
    .description('measure what each snapshot takes up, and what deleting it would really free')
    .argument('[host]', 'the host (default: all)')
    .addHelpText('after', helpText(['busy space web1', 'busy space --json']))
    .action(action(showSpace));
}

async function showSpace({ connection, printer, now }: Session, host = ''): Promise<void> {
  const measured: HostSpace[] = [];
  for await (const step of connection.stream(SnapshotServiceService.measureSpace, { host })) {
    if (step.progress) printer.status(progressText(step.progress));
    if (!step.host) continue;
    printer.status('');
    if (printer.isJson) measured.push(step.host);
    else printHost(printer, step.host, now());
  }
  if (printer.isJson) printer.json({ hosts: measured.map((space) => HostSpace.toJSON(space)) });
}

function printHost(printer: Session['printer'], space: HostSpace, now: Date): void {
  printer.line(`Host ${space.host} in ${space.backupdir}`);
  const rows = space.snapshots.map(({ snapshot, seenBytes, freedBytes }) => [
    snapshot?.name ?? '',
    snapshot ? typeName(snapshot.type) : '',
    formatAge(snapshot?.startedAt, now),
    formatBytes(seenBytes),
    formatBytes(freedBytes),
  ]);
  printer.table(['SNAPSHOT', 'TYPE', 'AGE', 'SIZE', 'FREED ALONE'], rows, 'There are no snapshots.');
  printer.line(`${formatBytes(space.totalBytes)} in all${othersText(space)}.${diskText(space)}`);
  if (rows.length > 1) printer.line('What several snapshots share is freed with the last of them.');
}

function othersText({ unfinishedBytes, removedBytes, trashBytes }: HostSpace): string {
  const others = [
    ...(unfinishedBytes > 0 ? [`${formatBytes(unfinishedBytes)} of unfinished backups`] : []),
    ...(trashBytes > 0 ? [`${formatBytes(trashBytes)} in the trash`] : []),
    ...(removedBytes > 0 ? [`${formatBytes(removedBytes)} that are being removed`] : []),
  ];
  return others.length === 0 ? '' : `, with ${others.join(', ')}`;
}

function diskText({ diskFreeBytes, diskTotalBytes }: HostSpace): string {
  if (diskFreeBytes === undefined || diskTotalBytes === undefined) return '';
  return ` The disk has ${formatBytes(diskFreeBytes)} free of ${formatBytes(diskTotalBytes)}.`;
}

function progressText({ host, snapshotsDone, snapshotCount, entries }: SpaceProgress): string {
  if (host === '') return 'waiting for another measurement to end';
  const number = Math.min(snapshotsDone + 1, snapshotCount);
  return `${host}: snapshot ${number} of ${snapshotCount}, ${formatCount(entries)} files looked at`;
}
