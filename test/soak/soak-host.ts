/** A host of the soak: its source directories, its settings, and what the model knows of its snapshots. */
import { join } from 'node:path';
import type { FileInodes } from './compare.js';
import type { Random } from './random.js';
import { SourceTree, type Tree } from './source-tree.js';

/** What a committed snapshot holds, and must hold as long as it is there. In the order of the source directories. */
export interface KnownSnapshot {
  readonly truths: readonly Tree[];
  readonly inodes: readonly FileInodes[];
}

export class SoakHost {
  /** Those that must be there now, oldest first. */
  readonly snapshots = new Map<string, KnownSnapshot>();
  /** How many there ever were, and how many of them were removed. */
  snapshotCount = 0;
  removedCount = 0;
  /** Ids of the runs that were looked at. */
  readonly judgedRuns = new Set<string>();
  /** The newest backup has failed, so that nothing is removed. */
  isFrozen = false;
  /** Of files in unfinished backups, into which the next one may link. */
  partialInodes: ReadonlySet<bigint> = new Set();
  /** `keep: { last: N }`; null without `keep`. */
  keepLast: number | null = 3;
  readonly maxIncr: number;
  private readonly initiator: 'server' | 'client';
  private readonly bandwidthLimit: number;

  constructor(
    readonly name: string,
    readonly trees: readonly SourceTree[],
    random: Random,
  ) {
    this.maxIncr = 2 + random.below(4);
    this.initiator = random.pick(['server', 'client']);
    // KiB/s; 0 is no limit. With one a backup can be met in its middle.
    this.bandwidthLimit = random.pick([0, 1500, 3000]);
  }

  static make(name: string, directory: string, treeCount: number, random: Random): SoakHost {
    const numbers = Array.from({ length: treeCount }, (_, index) => index + 1);
    const trees = numbers.map(
      (number) => new SourceTree(join(directory, name, String(number)), random.below(2 ** 32)),
    );
    return new SoakHost(name, trees, random);
  }

  settings(): { readonly name: string } & Readonly<Record<string, unknown>> {
    return {
      name: this.name,
      srcdirs: this.trees.map(({ root }) => root),
      initiator: this.initiator,
      max_incr: this.maxIncr,
      // In so small a tree any change may be a large one, and no snapshot is to be held for it.
      max_shrink: 1,
      max_change: 1,
      allow_empty: true,
      // Only by hand.
      verify_every: 0,
      bandwidth_limit: this.bandwidthLimit,
      ...(this.keepLast === null ? {} : { keep: { last: this.keepLast } }),
    };
  }

  /** What a snapshot made now must hold. */
  freeze(): Tree[] {
    return this.trees.map((tree) => tree.freeze());
  }

  names(): string[] {
    return [...this.snapshots.keys()];
  }
}
