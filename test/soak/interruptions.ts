/** A backup that something comes in between of, at a moment that can be found again. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BackupType, type Run } from '../../src/gen/busy/v1/run.js';
import { settle } from './settle.js';
import type { Random } from './random.js';
import type { SoakHost } from './soak-host.js';
import type { World } from './world.js';

/** How far a backup must be, by what lies in the copy of the first source directory (null: nothing does yet). */
interface Moment {
  readonly words: string;
  readonly isReached: (copied: readonly string[] | null) => boolean;
}

const largeFile = 'large';
const largeBytes = 400_000;

export function randomType(random: Random): BackupType {
  return random.pick([BackupType.AUTO, BackupType.AUTO, BackupType.FULL, BackupType.INCREMENTAL]);
}

/**
 * Starts a backup and breaks it off by `stop` when it has come to a random moment, or has ended. Answers the runs that
 * ended.
 */
export async function interrupt(
  world: World,
  host: SoakHost,
  random: Random,
  stop: (run: Run) => Promise<void>,
): Promise<{ moment: string; runs: Run[] }> {
  const type = randomType(random);
  const moment = randomMoment(random);
  changeLargeFile(host);
  const before = world.partialsOf(host);
  const run = await world.bed.trigger(host.name, type);
  const progress = { hasEnded: false };
  const end = world.bed
    .waitForRun(run.id)
    // The daemon may be what is stopped.
    .catch(() => {})
    .finally(() => (progress.hasEnded = true));
  while (!progress.hasEnded && !moment.isReached(copiedNames(world, host, before))) await delay(1);
  await stop(run);
  await end;
  return { moment: moment.words, runs: await settle(world, host) };
}

function randomMoment(random: Random): Moment {
  const count = random.below(13);
  return random.pick<Moment>([
    { words: 'at once', isReached: () => true },
    {
      words: `when ${count} entries are copied`,
      isReached: (copied) => copied !== null && copied.length >= count,
    },
    {
      words: 'while the large file is copied',
      isReached: (copied) => copied?.some((name) => name.startsWith(`.${largeFile}.`)) === true,
    },
  ]);
}

/** So that there is something to copy, and it takes a while. */
function changeLargeFile({ trees }: SoakHost): void {
  const [tree] = trees;
  if (!tree) return;
  const content = tree.newContent(largeBytes);
  if (tree.has(largeFile)) tree.remove(largeFile);
  tree.make(largeFile, { kind: 'file', content }, 0o640);
}

function copiedNames(world: World, host: SoakHost, before: readonly string[]): string[] | null {
  const partial = world.partialsOf(host).find((directory) => !before.includes(directory));
  if (partial === undefined) return null;
  try {
    return readdirSync(join(partial, 'data', host.trees[0]?.root ?? ''), 'latin1');
  } catch {
    return null;
  }
}
