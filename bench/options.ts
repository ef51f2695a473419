/** What all benchmarks have in common: their options, where they write, and how they end. */
import { parseArgs } from 'node:util';
import { largeFileCount } from './trees.js';

/** What the size of the work depends on. */
export interface SizeOptions {
  /** Small trees and one round: shows that it works, not how fast. */
  readonly isQuick: boolean;
  /** Of all large files together, which have the same size; NaN where a benchmark has its own. */
  readonly largeMiB: number;
}

export interface BenchmarkOptions extends SizeOptions {
  readonly rounds: number;
  readonly isJson: boolean;
  /** Where the scratch directory is made; undefined: where the system wants temporary files. */
  readonly directory: string | undefined;
  /** The sections that were chosen; null: none was, so all of them. */
  readonly only: readonly string[] | null;
  /** A line of progress, on the standard error stream. */
  readonly say: (line: string) => void;
  /** Aborted by Ctrl-C; the benchmark then cleans up. */
  readonly signal: AbortSignal;
}

const usage = 'Options: [--rounds N] [--quick] [--json] [--dir DIRECTORY]';

interface Defaults {
  readonly defaultRounds: number;
  /** Parts that can be carried out alone. */
  readonly sections?: readonly string[];
  /** Where the size of the large files can be chosen. */
  readonly largeMiB?: { readonly usual: number; readonly quick: number };
}

/** Reads the options, carries the benchmark out and prints the text that it answers. Sets the exit code. */
export async function runBenchmark(
  defaults: Defaults,
  work: (options: BenchmarkOptions) => Promise<string>,
): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt.abort());
  const options = readOptions(defaults);
  if (options === null) {
    say(usageOf(defaults));
    process.exitCode = 2;
    return;
  }
  try {
    const text = await work({ ...options, say, signal: interrupt.signal });
    process.stdout.write(`${text}\n`);
  } catch (error) {
    say(interrupt.signal.aborted ? 'Interrupted.' : error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function usageOf({ sections = [], largeMiB }: Defaults): string {
  const large = largeMiB === undefined ? '' : ` [--large MIB, a multiple of ${largeFileCount}]`;
  const only = sections.length === 0 ? '' : ` [--only SECTION,...]; sections: ${sections.join(', ')}`;
  return `${usage}${large}${only}`;
}

function readOptions({
  defaultRounds,
  sections = [],
  largeMiB: large,
}: Defaults): Omit<BenchmarkOptions, 'say' | 'signal'> | null {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        dir: { type: 'string' },
        only: { type: 'string' },
        large: { type: 'string' },
      },
    });
    const rounds = Number(values.rounds ?? (values.quick ? 1 : defaultRounds));
    if (!Number.isInteger(rounds) || rounds < 1) return null;
    const only = values.only?.split(',') ?? null;
    if (only?.some((name) => !sections.includes(name))) return null;
    if (values.large !== undefined && large === undefined) return null;
    const largeMiB = Number(values.large ?? (values.quick ? large?.quick : large?.usual));
    if (large !== undefined && (largeMiB < 1 || !Number.isInteger(largeMiB / largeFileCount))) return null;
    return { rounds, isQuick: values.quick, largeMiB, isJson: values.json, directory: values.dir, only };
  } catch {
    return null;
  }
}
