/** The command `prune`: removes the snapshots that need not be kept, or says which these are. */
import { PruneSnapshotsResponse, SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { helpText } from './help.js';
import { formatAge, formatCount } from './human-format.js';
import type { Commands, Session } from './session.js';
import { typeName } from './states.js';

/** Each removal waits for the disk once, in milliseconds. */
const pruneTimeoutMs = 600_000;

export function addPruneCommand({ program, action }: Commands): void {
  program
    .command('prune')
    .description('remove the snapshots of a host that no rule of its keep names')
    .argument('<host>', 'the host')
    .option('-n, --dry-run', 'remove nothing, only say for each snapshot what would be done and why')
    .addHelpText('after', helpText(['busy prune web1 --dry-run', 'busy prune web1']))
    .action(action(pruneSnapshots));
}

async function pruneSnapshots(
  { connection, printer, now }: Session,
  host: string,
  { dryRun = false }: { readonly dryRun?: boolean },
): Promise<void> {
  const request = { host, dryRun };
  const answer = await connection.call(SnapshotServiceService.pruneSnapshots, request, pruneTimeoutMs);
  if (printer.isJson) return printer.json(PruneSnapshotsResponse.toJSON(answer));
  const removed = dryRun ? 'REMOVE' : 'REMOVED';
  printer.table(
    ['SNAPSHOT', 'TYPE', 'AGE', 'VERDICT', 'WHY'],
    answer.verdicts.flatMap(({ snapshot, isKept, reason }) =>
      snapshot === undefined
        ? []
        : [
            [
              snapshot.name,
              typeName(snapshot.type),
              formatAge(snapshot.startedAt, now()),
              isKept ? 'KEEP' : removed,
              reason,
            ],
          ],
    ),
    'There are no snapshots.',
  );
  printer.line(summary(host, dryRun, answer));
}

function summary(host: string, isDryRun: boolean, answer: PruneSnapshotsResponse): string {
  if (!answer.hasKeep) return `${host} has no keep, so nothing is ever removed.`;
  if (answer.frozenReason !== '') return `Nothing is removed: ${answer.frozenReason}.`;
  const count = `${formatCount(answer.removedCount)} of ${formatCount(answer.verdicts.length)} snapshots`;
  return isDryRun ? `${count} would be removed.` : `${count} were removed; their space is freed meanwhile.`;
}
