/**
 * The soak: one random step after the other, on the source or on BUSY. Every step decides by the seed and its own
 * number alone, so a failure comes again with the same seed, as far as it does not hang on moments.
 */
import { rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackupType } from '../../src/gen/busy/v1/run.js';
import { Random } from './random.js';
import { checkAllSnapshots } from './snapshot-checks.js';
import { changeSource } from './source-actions.js';
import { backUp, systemActions, type SystemAction } from './system-actions.js';
import { World } from './world.js';

export interface SoakOptions {
  readonly seed: number;
  readonly steps: number;
  /** Ends the soak early, before the next step. */
  readonly isOver: () => boolean;
  /** Takes one line for each step. */
  readonly onStep: (line: string) => void;
  /** Leave everything on the disk after a failure, for a look. */
  readonly keepsRemains: boolean;
}

export interface SoakReport {
  readonly steps: number;
  readonly snapshotsMade: number;
  readonly snapshotsRemoved: number;
  /** How often one that was there already was compared again. */
  readonly snapshotsCompared: number;
  /** How often each action of the system was carried out. */
  readonly actions: ReadonlyMap<string, number>;
}

const systemShare = 0.3;
/** So many actions of the system between two comparisons of everything. */
const betweenComparisons = 15;
const firstChanges = 50;
const lastShown = 30;

/** Throws an Error that says what was wrong, what came before, and how it is reproduced. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const world = await World.create(new Random(options.seed));
  const story: string[] = [];
  try {
    return await carryOut(world, options, (line) => {
      story.push(line);
      options.onStep(line);
    });
  } catch (error) {
    const remains = options.keepsRemains ? [`What is left is in ${await keepRemains(world)}`] : [];
    const why = error instanceof Error ? error.message : String(error);
    const last = story.slice(-lastShown).join('\n  ');
    const lines = [
      `The soak with seed ${options.seed} failed in step ${story.length + 1}, ${why}`,
      ...remains,
      `The last steps were:\n  ${last}`,
      `To reproduce: npm run soak:model -- --seed ${options.seed} --steps ${story.length + 1}`,
    ];
    throw new Error(lines.join('\n'), { cause: error });
  } finally {
    await world.bed.end();
  }
}

async function carryOut(
  world: World,
  { seed, steps, isOver }: SoakOptions,
  tell: (line: string) => void,
): Promise<SoakReport> {
  const actions = new Map<string, number>();
  let actionCount = 0;
  let snapshotsCompared = 0;
  const compareEverything = (): void => {
    for (const host of world.hosts) {
      checkAllSnapshots(world, host);
      snapshotsCompared += host.snapshots.size;
    }
  };
  const first = new Random(seed, 0);
  for (const { trees } of world.hosts)
    for (const tree of trees) for (let count = 0; count < firstChanges; count++) changeSource(tree, first);
  let step = 0;
  for (; step < steps && !isOver(); step++) {
    const random = new Random(seed, step + 1);
    if (!random.chance(systemShare)) {
      const host = random.pick(world.hosts);
      const tree = random.pick(host.trees);
      tell(
        `${step + 1}. ${host.name}: ${changeSource(tree, random)} in ${tree.root.split('/').slice(-1)[0]}`,
      );
      continue;
    }
    const action = random.weighted(systemActions);
    actions.set(action.name, (actions.get(action.name) ?? 0) + 1);
    tell(`${step + 1}. ${action.name}: ${await named(action, world, random)}`);
    actionCount += 1;
    if (actionCount % betweenComparisons === 0) compareEverything();
  }
  for (const host of world.hosts) await backUp(world, host, BackupType.AUTO);
  compareEverything();
  return {
    steps: step,
    snapshotsMade: sum(world.hosts.map(({ snapshotCount }) => snapshotCount)),
    snapshotsRemoved: sum(world.hosts.map(({ removedCount }) => removedCount)),
    snapshotsCompared,
    actions,
  };
}

async function named({ name, act }: SystemAction, world: World, random: Random): Promise<string> {
  try {
    return await act(world, random);
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function keepRemains(world: World): Promise<string> {
  await world.bed.stopDaemon('SIGKILL');
  await world.sshd.stop();
  const directory = join(tmpdir(), `busy-soak-${process.pid}`);
  await rename(world.bed.directory, directory);
  return directory;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
