/** The command `acknowledge`: what becomes of a snapshot that the source gate holds. */
import { HostServiceService } from '../../src/gen/busy/v1/host_service.js';
import {
  AcknowledgeSnapshotResponse,
  SnapshotServiceService,
} from '../../src/gen/busy/v1/snapshot_service.js';
import { Snapshot } from '../../src/gen/busy/v1/snapshot.js';
import { usageError } from './cli-error.js';
import { helpText } from './help.js';
import { collectPages } from './pages.js';
import type { Commands, Session } from './session.js';
import { addAsOfOption, readAsOf, readSnapshotWord, type AsOfOption } from './snapshot-word.js';

export function addAcknowledgeCommand({ program, action }: Commands): void {
  addAsOfOption(program.command('acknowledge'), 'the newest held snapshot')
    .description('say that a held snapshot is as it should be, or discard it')
    .argument('<host>', 'the host; or HOST/SNAPSHOT')
    .argument('[snapshot]', 'the held snapshot; default: the newest, if it is held')
    .option('-y, --yes', 'yes, do it; without it only says why the snapshot is held')
    .option('--discard', 'move the snapshot to the trash, since the source was not as it should be')
    .addHelpText('after', helpText(['busy acknowledge web1', 'busy acknowledge web1 --yes']))
    .action(action(acknowledge));
}

interface Options extends AsOfOption {
  readonly yes?: boolean;
  readonly discard?: boolean;
}

async function acknowledge(
  { connection, printer }: Session,
  word: string,
  given: string | undefined,
  { yes, discard = false, asOf }: Options,
): Promise<void> {
  const named = readSnapshotWord(word, given);
  const { host } = named;
  const time = readAsOf(named, { asOf });
  const name =
    named.name || (await (time === undefined ? heldOf(connection, host) : heldAsOf(connection, host, time)));
  if (!yes) {
    const { snapshot } = await connection.call(SnapshotServiceService.getSnapshot, {
      host,
      name,
      asOf: undefined,
    });
    throw usageError(questionFor(snapshot ?? Snapshot.create()), adviceFor(host, name));
  }
  const request = { host, name, discard };
  const answer = await connection.call(SnapshotServiceService.acknowledgeSnapshot, request);
  if (printer.isJson) return printer.json(AcknowledgeSnapshotResponse.toJSON(answer));
  printer.line(
    discard
      ? `Snapshot ${name} of ${host} is in the trash; it comes back with: busy trash restore ${host}/${name}`
      : `Snapshot ${name} of ${host} counts as good; the next backup is compared with it and links to it.`,
  );
}

async function heldOf(connection: Session['connection'], name: string): Promise<string> {
  const { host } = await connection.call(HostServiceService.getHost, { name });
  if (host?.heldSnapshot) return host.heldSnapshot.name;
  throw usageError(`The newest snapshot of ${name} is not held.`, `See: busy snapshots ${name}`);
}

/** Held ones are passed over wherever else a time is given, so the daemon is not asked as for those. */
async function heldAsOf(connection: Session['connection'], host: string, time: Date): Promise<string> {
  const snapshots = await collectPages(async (page) => {
    const answer = await connection.call(SnapshotServiceService.listSnapshots, { ...page, host });
    return { items: answer.snapshots, nextPageToken: answer.nextPageToken };
  });
  // Newest first; to the second, as their names tell it.
  const isInTime = ({ startedAt }: Snapshot): boolean =>
    startedAt !== undefined && Math.floor(startedAt.getTime() / 1000) * 1000 <= time.getTime();
  const found = snapshots.find((snapshot) => snapshot.heldFor.length > 0 && isInTime(snapshot));
  if (found) return found.name;
  throw usageError(`No snapshot of ${host} from then or before is held.`, `See: busy snapshots ${host}`);
}

function questionFor({ name, heldFor }: Snapshot): string {
  if (heldFor.length === 0) return `Snapshot ${name} is not held.`;
  return `Snapshot ${name} is held: ${heldFor.map(({ message }) => message).join('; ')}.`;
}

function adviceFor(host: string, name: string): string {
  return `If the source is as it should be: busy acknowledge ${host} ${name} --yes; to discard the snapshot: busy acknowledge ${host} ${name} --discard --yes`;
}
