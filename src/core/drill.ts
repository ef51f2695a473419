/**
 * Restore drills: which files of a snapshot are restored to see whether that works, and what a drill has found. Plain data and pure functions.
 */
import { parentsOf } from './download.js';
import type { BytePath } from './byte-path.js';
import { BusyError } from './errors.js';
import { counted } from './figures.js';
import type { FoundDifference } from './verification.js';

export interface DrillRecord {
  /** Chooses the sample: the same seed takes the same files of the same snapshot. */
  readonly seed: string;
  /** What was restored: entries of every type, and of them the regular files with their bytes. */
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
  /** How long the restoring alone took. */
  readonly restoreMs: number;
  /** It came from an archive, since the snapshot is not there any more. */
  readonly isFromArchive: boolean;
  /** The first `differencesKept` of them. */
  readonly differences: readonly FoundDifference[];
  readonly differenceCount: number;
  /** How `drill_command` ended, for example "ended with code 0"; empty when it was not called. */
  readonly commandEnd: string;
  readonly hasCommandPassed: boolean;
}

/** A drill that has found out nothing yet. */
export function newDrill(seed: string): DrillRecord {
  return {
    seed,
    entries: 0,
    files: 0,
    bytes: 0,
    restoreMs: 0,
    isFromArchive: false,
    differences: [],
    differenceCount: 0,
    commandEnd: '',
    hasCommandPassed: false,
  };
}

/** DRILL_FAILED, or null when all came back as it was. */
export function failureOfDrill(host: string, snapshot: string, record: DrillRecord): BusyError | null {
  const { differences, differenceCount, commandEnd, hasCommandPassed } = record;
  if (differenceCount > 0) {
    const first = differences.slice(0, 3).map(({ path, kind }) => `${path} (${kind})`);
    const found = `${counted(differenceCount, 'difference')}, the first: ${first.join(', ')}`;
    return new BusyError('DRILL_FAILED', { host, snapshot, found });
  }
  if (commandEnd === '' || hasCommandPassed) return null;
  return new BusyError('DRILL_FAILED', { host, snapshot, found: `drill_command ${commandEnd}` });
}

/**
 * Chooses files at random, but the same ones for the same seed: those whose path and seed together give the lowest
 * numbers. Takes one path after the other and remembers no more than it is to choose.
 */
export class DrillSample {
  private readonly chosen: { readonly path: BytePath; readonly lot: number }[] = [];
  private highest = Infinity;

  constructor(
    private readonly seed: string,
    private readonly size: number,
  ) {}

  offer(path: BytePath): void {
    if (this.size === 0) return;
    const lot = lotOf(this.seed, path);
    if (this.chosen.length >= this.size && lot >= this.highest) return;
    this.chosen.push({ path, lot });
    // Sorting now and then costs less than keeping the order.
    if (this.chosen.length >= 2 * this.size) this.cut();
  }

  paths(): ReadonlySet<BytePath> {
    this.cut();
    return new Set(this.chosen.map(({ path }) => path));
  }

  private cut(): void {
    this.chosen.sort((a, b) => (a.lot === b.lot ? (a.path < b.path ? -1 : 1) : a.lot - b.lot));
    this.chosen.length = Math.min(this.chosen.length, this.size);
    if (this.chosen.length === this.size) this.highest = this.chosen.at(-1)?.lot ?? Infinity;
  }
}

/** 32 bits, spread evenly: FNV-1a, and then mixed as in MurmurHash3, since FNV alone hardly mixes the last letters. */
function lotOf(seed: string, path: BytePath): number {
  let hash = 0x811c9dc5;
  const text = `${seed}\n${path}`;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Says of each entry whether it is restored: the chosen files, all that is named, and the directories above these. */
export function drillSelection(
  sample: ReadonlySet<BytePath>,
  named: readonly BytePath[],
): (path: BytePath) => boolean {
  const wanted = new Set(named);
  const above = new Set([...sample, ...named].flatMap(parentsOf));
  const isAll = wanted.has('/');
  return (path) =>
    isAll ||
    sample.has(path) ||
    above.has(path) ||
    wanted.has(path) ||
    (wanted.size > 0 && parentsOf(path).some((parent) => wanted.has(parent)));
}
