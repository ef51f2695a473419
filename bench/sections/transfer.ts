/** Backups of one tree, and of the mixed one also restores, by everybody. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { must, type Contestant } from '../contestants.js';
import type { Measurement } from '../measurement.js';
import type { Goal, Row } from '../one-table.js';
import type { BenchmarkOptions, SizeOptions } from '../options.js';
import { findPeers, peerNames, type Failure } from '../peers/all-peers.js';
import { daemonBackups } from '../peers/busyd.js';
import { rotate } from '../rotate.js';
import { remove, settleDisk, withScratch, type Scratch } from '../scratch.js';
import { changeOnePercent } from '../trees.js';
import type { Section, SectionResult } from './section.js';

export type Step = 'full' | 'unchanged' | '1 % changed' | 'restore all' | 'restore one file';

export interface TransferPlan {
  /** Of the tree, and of the section. */
  readonly name: string;
  /** In this order, beginning with `full`. */
  readonly steps: readonly ['full', ...Step[]];
  readonly goals: Partial<Record<Step, readonly Goal[]>>;
  /** Those that no goal names take part in the first round only, since they would take most of the time. */
  readonly hasOthersOnce: boolean;
  /** What the restore of one file takes, relative to the tree. */
  readonly oneFile?: string;
  describe(sizes: SizeOptions): string;
  /** Bytes that one copy takes on the disk. */
  bytes(sizes: SizeOptions): number;
  make(directory: string, sizes: SizeOptions): Promise<void>;
}

interface Transfer {
  readonly step: Step;
  readonly by: string;
  readonly seconds: number;
}

const own = 'busyd';
/** Of the most that lies there at once: the source, what one of all has made of it, and what is restored. */
const copiesAtOnce = 5;

export function transferSection(plan: TransferPlan): Section {
  return {
    name: plan.name,
    isLikeAnother: plan.oneFile === undefined,
    describe: (sizes) => `${plan.name}: ${plan.describe(sizes)}`,
    measure: (options) => {
      const bytes = copiesAtOnce * plan.bytes(options);
      return withScratch(options.directory, bytes, (scratch) => measureAll(plan, options, scratch));
    },
  };
}

async function measureAll(
  plan: TransferPlan,
  options: BenchmarkOptions,
  scratch: Scratch,
): Promise<SectionResult> {
  const { bed, directory } = scratch;
  const tree = join(directory, plan.name);
  options.say(`${plan.name}: making the tree`);
  await plan.make(tree, options);
  const sshd = await bed.startSshd({ home: bed.directory });
  // The host is this machine: its sshd and rsync would take the processor from those of BUSY alone.
  await bed.configure([bed.hostAt(sshd, { name: plan.name, srcdirs: [tree] })], { stop_grace: 0, nice: 0 });
  await bed.startDaemon();
  const { present, absent } = await findPeers({ ...scratch, sshd });
  const contestants = [daemonBackups(bed, own, () => plan.name), ...present];
  const regulars = regularsOf(plan);
  const transfers: Transfer[] = [];
  const failures = new Map<string, Failure>();
  for (let round = 1; round <= options.rounds; round++) {
    // Each round begins with another one, so that no place in the order is always the same contestant's.
    for (const contestant of rotate(contestants, round - 1)) {
      const by = contestant.name;
      if (failures.has(by) || (round > 1 && !regulars.includes(by))) continue;
      for (const step of plan.steps) {
        options.signal.throwIfAborted();
        if (isRestore(step) && contestant.restore === null) continue;
        if (step === '1 % changed') await changeOnePercent(tree);
        await settleDisk(directory);
        try {
          const { wallMs } = await steps[step]({ contestant, plan, tree, directory });
          const seconds = wallMs / 1000;
          options.say(`${plan.name}, round ${round}: ${step}, ${by}: ${seconds.toFixed(2)} s`);
          transfers.push({ step, by, seconds });
        } catch (error) {
          // Ctrl-C ends its programs too.
          options.signal.throwIfAborted();
          if (by === own) throw error;
          const why = firstLineOf(error);
          options.say(`${plan.name}, round ${round}: ${step}, ${by}: failed: ${why}`);
          failures.set(by, { name: by, at: `${plan.name}, ${step}`, why });
          break;
        }
      }
      // What a failed one has left goes with the scratch directory.
      if (!failures.has(by)) await contestant.clear(tree);
    }
  }
  const rows = rowsOf(plan, transfers, [...failures.keys()]);
  return { rows, absent, failures: [...failures.values()] };
}

/** Who takes part in every round. */
function regularsOf({ hasOthersOnce, goals }: TransferPlan): readonly string[] {
  if (!hasOthersOnce) return [own, ...peerNames];
  return [own, ...Object.values(goals).flatMap((some) => some.map(({ to }) => to ?? own))];
}

interface Work {
  readonly contestant: Contestant;
  readonly plan: TransferPlan;
  readonly tree: string;
  readonly directory: string;
}

const steps: Readonly<Record<Step, (work: Work) => Promise<Measurement>>> = {
  full: ({ contestant, tree }) => contestant.full(tree),
  unchanged: ({ contestant, tree }) => contestant.incremental(tree),
  '1 % changed': ({ contestant, tree }) => contestant.incremental(tree),
  'restore all': (work) => restore(work, null),
  'restore one file': (work) => restore(work, work.plan.oneFile ?? null),
};

/** What was restored must be what is there, or the time would say nothing. */
async function restore({ contestant, tree, directory }: Work, file: string | null): Promise<Measurement> {
  if (contestant.restore === null) throw new Error(`${contestant.name} has no restore of its own.`);
  const into = join(directory, 'restored');
  await mkdir(into);
  try {
    const measurement = await contestant.restore.carryOut(tree, file, into);
    const original = file === null ? tree : join(tree, file);
    await must('diff', ['-rq', '--no-dereference', original, contestant.restore.placeOf(tree, file, into)]);
    return measurement;
  } finally {
    await remove(into);
  }
}

function firstLineOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n')[0] ?? '';
}

function rowsOf(plan: TransferPlan, transfers: readonly Transfer[], failed: readonly string[]): Row[] {
  const made = [...new Set(transfers.map(({ step }) => step))];
  const names = [...new Set(transfers.map(({ by }) => by))];
  return made.map((step) => {
    const of = (by: string): number[] =>
      transfers.filter((one) => one.step === step && one.by === by).map(({ seconds }) => seconds);
    const others = names
      .filter((by) => by !== own && !failed.includes(by))
      .map((by) => [by, of(by)] as const)
      .filter(([, values]) => values.length > 0);
    return {
      what: nameOf(step, plan.name),
      unit: 's',
      busyd: of(own),
      others: Object.fromEntries(others),
      onlyInFirstRound: names.filter((by) => !regularsOf(plan).includes(by)),
      failed,
      goals: plan.goals[step] ?? [],
    };
  });
}

function nameOf(step: Step, tree: string): string {
  return isRestore(step) ? step : `${step}, ${tree}`;
}

function isRestore(step: Step): boolean {
  return step.startsWith('restore');
}
