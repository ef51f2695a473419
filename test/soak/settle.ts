/** Waits until the daemon has come to rest, and compares what there is then with the model. */
import { lstatSync, readdirSync } from 'node:fs';
import { RunState, type Run } from '../../src/gen/busy/v1/run.js';
import type { Snapshot } from '../../src/gen/busy/v1/snapshot.js';
import { hasEnded, until } from '../helpers/test-bed.js';
import { Disagreement } from './disagreement.js';
import { expectedToStay, hasFailed } from './rules.js';
import { judgeNewSnapshot } from './snapshot-checks.js';
import type { SoakHost } from './soak-host.js';
import type { World } from './world.js';

/**
 * Answers the runs that have ended since the last time, oldest first. All of them must have copied the source as it
 * is now.
 */
export async function settle(world: World, host: SoakHost): Promise<Run[]> {
  let all: Run[] = [];
  await until(
    async () => (all = await world.backupRuns(host)).every(hasEnded),
    `the runs of ${host.name} to end`,
    () => JSON.stringify(all.find((run) => !hasEnded(run))),
  );
  const ended = all.filter(({ id }) => !host.judgedRuns.has(id)).toReversed();
  const made = ended.filter(({ snapshot }) => snapshot !== '');
  for (const run of ended) {
    host.judgedRuns.add(run.id);
    if ((run.state === RunState.SUCCEEDED) !== (run.snapshot !== ''))
      throw new Disagreement(`run ${run.id} is ${RunState[run.state]} with the snapshot "${run.snapshot}"`);
  }
  const before = host.names();
  const known = [...before, ...made.map(({ snapshot }) => snapshot)].sort();
  const isFrozen = hasFailed(all);
  const stay = isFrozen ? known : expectedToStay(known, host.keepLast);
  // After other settings the daemon may have removed some before the backup failed.
  const pruned = host.isFrozen ? before : expectedToStay(before, host.keepLast);
  const mayGo = isFrozen ? without(before, pruned) : [];
  const listed = await untilAgreement(world, host, stay, mayGo);
  const present = listed.map(({ name }) => name);
  host.isFrozen = isFrozen;
  for (const run of made) {
    const snapshot = listed.find(({ name }) => name === run.snapshot);
    if (!snapshot) continue;
    const judged = judgeNewSnapshot({ world, host, run, snapshot, before, pruned });
    host.snapshots.set(run.snapshot, judged);
  }
  host.snapshotCount += made.length;
  const doomed = without(host.names(), present);
  for (const name of doomed) host.snapshots.delete(name);
  host.removedCount += doomed.length;
  notePartials(world, host);
  return ended;
}

/** Remembers the files of unfinished backups: the next one may link to them. */
export function notePartials(world: World, host: SoakHost): void {
  const inodes = world.partialsOf(host).flatMap((directory) => inodesBelow(Buffer.from(directory)));
  host.partialInodes = new Set(inodes);
}

/** The disk and the API must come to name the same snapshots: these, but for some of those that may go. */
async function untilAgreement(
  world: World,
  host: SoakHost,
  stay: readonly string[],
  mayGo: readonly string[],
): Promise<readonly Snapshot[]> {
  let listed: Snapshot[] = [];
  let entries: string[] = [];
  const detail = (): string => {
    const api = listed.map(({ name }) => name).join(' ');
    const may = mayGo.length > 0 ? ` (without, if need be, ${mayGo.join(' ')})` : '';
    return `The model has ${stay.join(' ')}${may}; the API lists ${api}; on the disk there are ${entries.join(' ')}.`;
  };
  await until(
    async () => {
      listed = await world.listedSnapshots(host);
      entries = world.entriesOf(host);
      const names = listed.map(({ name }) => name);
      const onDisk = entries.filter((name) => !/^\.(partial|removed)-/.test(name));
      const wanted = stay.filter((name) => names.includes(name) || !mayGo.includes(name));
      const isSwept = wanted.length === 0 || !entries.some((name) => name.startsWith('.removed-'));
      return names.join() === wanted.join() && onDisk.join() === wanted.join() && isSwept;
    },
    `the snapshots of ${host.name} to be those of the model`,
    detail,
  );
  return listed;
}

function without(names: readonly string[], others: readonly string[]): string[] {
  return names.filter((name) => !others.includes(name));
}

function inodesBelow(directory: Buffer): bigint[] {
  return readdirSync(directory, 'buffer').flatMap((name) => {
    const at = Buffer.concat([directory, Buffer.from('/'), name]);
    const stats = lstatSync(at, { bigint: true });
    return stats.isDirectory() ? inodesBelow(at) : [stats.ino];
  });
}
