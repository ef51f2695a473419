/**
 * What happens to BUSY: backups, and everything that comes in between. Each action leaves a daemon that is at rest and
 * agrees with the model, and answers in words what came of it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { faultPoints, type FaultPoint } from '../../src/fault-points.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { until } from '../helpers/test-bed.js';
import { damagePartial } from './damage.js';
import { Disagreement } from './disagreement.js';
import { interrupt, randomType } from './interruptions.js';
import type { Random } from './random.js';
import { expectedToStay } from './rules.js';

import { notePartials, settle } from './settle.js';
import type { SoakHost } from './soak-host.js';
import type { Fault, World } from './world.js';

export interface SystemAction {
  readonly name: string;
  readonly weight: number;
  readonly act: (world: World, random: Random) => Promise<string>;
}

const removalSteps: readonly FaultPoint[] = [
  'snapshot is taken out',
  'snapshot is forgotten',
  'directory is discarded',
];
const backupSteps = faultPoints.filter((step) => step !== 'table is made' && !removalSteps.includes(step));

export const systemActions: readonly SystemAction[] = [
  {
    name: 'backup',
    weight: 12,
    act: (world, random) => backUp(world, random.pick(world.hosts), randomType(random)),
  },
  {
    name: 'two backups without a change',
    weight: 2,
    act: async (world, random) => {
      const host = random.pick(world.hosts);
      await backUp(world, host, randomType(random));
      return backUp(world, host, BackupType.INCREMENTAL);
    },
  },
  {
    name: 'backups of all hosts at once',
    weight: 3,
    act: async (world, random) => {
      const type = randomType(random);
      return (await Promise.all(world.hosts.map((host) => backUp(world, host, type)))).join(', ');
    },
  },
  {
    name: 'cancel',
    weight: 3,
    act: (world, random) =>
      // A run that has just ended refuses it.
      broken(world, random, [RunState.CANCELLED], (run) => world.cancel(run).catch(() => {})),
  },
  {
    name: 'kill of the executor',
    weight: 3,
    act: (world, random) => broken(world, random, [RunState.FAILED], () => killExecutors(world)),
  },
  {
    name: 'cut of the connection',
    weight: 2,
    act: (world, random) =>
      broken(world, random, [RunState.FAILED], async () => {
        await world.sshd.kill();
        await world.sshd.restart();
      }),
  },
  {
    name: 'kill of the daemon',
    weight: 4,
    act: (world, random) =>
      broken(world, random, [RunState.INTERRUPTED], async () => {
        await world.bed.stopDaemon('SIGKILL');
        await world.startDaemon();
      }),
  },
  {
    name: 'stop of the daemon in a backup',
    weight: 1,
    act: (world, random) =>
      broken(world, random, [], async () => {
        await world.bed.stopDaemon();
        await world.startDaemon();
      }),
  },
  {
    name: 'crash in a backup',
    weight: 6,
    act: (world, random) => crash(world, random, random.pick(backupSteps)),
  },
  {
    name: 'crash in a removal',
    weight: 3,
    act: async (world, random) => {
      const fault = `${random.pick(removalSteps)}@${1 + random.below(2)}` as const;
      random.pick(world.hosts).keepLast = 1;
      await world.configure();
      return crash(world, random, fault);
    },
  },
  {
    name: 'restart',
    weight: 2,
    act: async (world) => {
      await world.bed.stopDaemon();
      await world.startDaemon();
      await settleAll(world);
      return 'done';
    },
  },
  {
    name: 'host away',
    weight: 2,
    act: async (world, random) => {
      const host = random.pick(world.hosts);
      await world.sshd.stop();
      await world.bed.backUp(host.name, randomType(random));
      const words = judge(host, await settle(world, host), [RunState.FAILED]);
      await world.sshd.restart();
      return words;
    },
  },
  {
    name: 'damage to an unfinished backup',
    weight: 4,
    act: async (world, random) => {
      const host = random.pick(world.hosts);
      // Before anything that hangs on what is found.
      const next = randomType(random);
      await interrupt(world, host, random, (run) => world.cancel(run).catch(() => {}));
      const [partial] = world.partialsOf(host).slice(-1);
      const done = partial === undefined ? 'there is none' : `it ${damagePartial(host, partial, random)}`;
      // A file that was empty before is a good link base still.
      notePartials(world, host);
      return `${done}; ${await backUp(world, host, next)}`;
    },
  },
  { name: 'verify', weight: 3, act: (world, random) => verify(world, random.pick(world.hosts)) },
  { name: 'prune', weight: 4, act: (world, random) => prune(world, random.pick(world.hosts), random) },
  {
    name: 'prune after a failed backup',
    weight: 2,
    act: async (world, random) => {
      const host = random.pick(world.hosts);
      const { runs } = await interrupt(world, host, random, () => killExecutors(world));
      return `${judge(host, runs, [RunState.FAILED])}; ${await prune(world, host, random)}`;
    },
  },
];

/** A backup that must succeed and leave nothing unfinished behind. */
export async function backUp(world: World, host: SoakHost, type: BackupType): Promise<string> {
  await world.bed.backUp(host.name, type);
  const words = judge(host, await settle(world, host), []);
  const partials = world.partialsOf(host);
  if (partials.length > 0) throw new Disagreement(`after a good backup there is ${partials.join(' ')}`);
  return words;
}

/** A backup that is broken off. */
async function broken(
  world: World,
  random: Random,
  endings: readonly RunState[],
  stop: (run: Run) => Promise<void>,
): Promise<string> {
  const host = random.pick(world.hosts);
  const { moment, runs } = await interrupt(world, host, random, stop);
  return `${moment}: ${judge(host, runs, endings)}`;
}

/** The daemon dies at a step of what it does for a backup, or at rest when it does not come to that step. */
async function crash(world: World, random: Random, fault: Fault): Promise<string> {
  const hosts = random.chance(0.3) ? world.hosts : [random.pick(world.hosts)];
  const type = randomType(random);
  await world.bed.stopDaemon();
  const hasCrashed = await diesOver(world, fault, async () => {
    await Promise.all(hosts.map((host) => world.bed.backUp(host.name, type)));
    for (const host of hosts) await untilNothingToPrune(world, host);
  });
  await world.bed.stopDaemon('SIGKILL');
  await world.startDaemon();
  const words: string[] = [];
  for (const host of world.hosts) words.push(judge(host, await settle(world, host), [RunState.INTERRUPTED]));
  return `${hasCrashed ? 'when' : 'it does not come to'} ${fault}: ${words.join(', ')}`;
}

/** Starts the daemon with a fault and gives it work. Answers whether that was its death. */
async function diesOver(world: World, fault: Fault, work: () => Promise<void>): Promise<boolean> {
  try {
    await world.startDaemon(fault);
    await work();
    return false;
  } catch (error) {
    const ending = await Promise.race([world.bed.daemonEnd(), delay(10_000, 'none')]);
    if (ending !== 'SIGKILL') throw error;
    return true;
  }
}

async function untilNothingToPrune(world: World, host: SoakHost): Promise<void> {
  await until(async () => (await world.prune(host, true)).removedCount === 0, 'the removals');
}

/** The product's own comparison must find nothing either. */
async function verify(world: World, host: SoakHost): Promise<string> {
  if (host.snapshots.size === 0) return `${host.name} has nothing`;
  return judge(host, [await world.verify(host)], []);
}

/** Other settings, what the daemon would do by them, and then it does that. */
async function prune(world: World, host: SoakHost, random: Random): Promise<string> {
  host.keepLast = random.chance(0.1) ? null : 1 + random.below(6);
  await world.reload();
  const { verdicts, frozenReason } = await world.prune(host, true);
  const kept = verdicts.filter(({ isKept }) => isKept).map(({ snapshot }) => snapshot?.name ?? '');
  const wanted = frozenReason === '' ? expectedToStay(host.names(), host.keepLast) : host.names();
  if (kept.toReversed().join() !== wanted.join())
    throw new Disagreement(`of ${host.name} it would keep ${kept.join(' ')}, not ${wanted.join(' ')}`);
  const { removedCount } = await world.prune(host, false);
  await settle(world, host);
  return `${host.name} keeps ${host.keepLast ?? 'all'}: ${removedCount} removed`;
}

export async function settleAll(world: World): Promise<void> {
  for (const host of world.hosts) judge(host, await settle(world, host), []);
}

/** What became of runs in words. Each must have succeeded or ended in one of these ways. */
function judge(host: SoakHost, runs: readonly Run[], endings: readonly RunState[]): string {
  for (const run of runs) {
    if (run.state === RunState.SUCCEEDED || endings.includes(run.state)) continue;
    const why = `${run.error?.reason}: ${run.error?.message}`;
    throw new Disagreement(`run ${run.id} of ${host.name} is ${RunState[run.state]} (${why})`);
  }
  return [host.name, ...runs.map(({ state, snapshot }) => `${RunState[state]} ${snapshot}`.trim())].join(' ');
}

async function killExecutors(world: World): Promise<void> {
  for (const pid of world.executorPids()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
}
