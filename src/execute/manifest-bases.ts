/** The manifests of the snapshots whose files may be linked into another one: what they know of its files. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { BytePath } from '../core/byte-path.js';
import { BaseLines } from './base-lines.js';
import { ManifestUnusable, manifestName, parseEntry } from './manifest-format.js';
import { diskPath } from './tree-walk.js';

export class BaseUnusable extends Error {
  constructor(
    readonly base: string,
    cause: Error,
  ) {
    super(cause.message, { cause });
  }
}

interface Base {
  readonly snapshot: string;
  readonly lines: BaseLines;
}

export class ManifestBases {
  private constructor(private readonly bases: readonly Base[]) {}

  /** Bases without a manifest know nothing. `root` is that of the tree whose files are asked for. Throws BaseUnusable. */
  static async open(snapshots: readonly string[], root: BytePath): Promise<ManifestBases> {
    const bases: Base[] = [];
    try {
      for (const snapshot of snapshots) {
        const base = { snapshot, lines: new BaseLines(join(snapshot, manifestName)) };
        bases.push(base);
        if (await hasTrueInodes(base, root)) continue;
        bases.pop();
        await base.lines.close();
      }
      return new ManifestBases(bases);
    } catch (error) {
      await new ManifestBases(bases).close();
      throw error;
    }
  }

  /** Of each base, best first, the line of each path; empty when it has none. As `BaseLines.of`. Throws BaseUnusable. */
  async linesOf(paths: readonly BytePath[]): Promise<string[][]> {
    const all: string[][] = [];
    for (const base of this.bases) all.push(await trusting(base, () => base.lines.of(paths)));
    return all;
  }

  /** Throws BaseUnusable when one of them was not whole. */
  async finish(): Promise<void> {
    for (const base of this.bases) await trusting(base, () => base.lines.finish());
  }

  async close(): Promise<void> {
    for (const { lines } of this.bases) await lines.close();
  }
}

/**
 * The numbers of inodes mean something as long as the store has not been moved to another file system: then that of
 * the top directory has changed too.
 */
async function hasTrueInodes(base: Base, root: BytePath): Promise<boolean> {
  try {
    const line = await trusting(base, () => base.lines.first());
    const top = line === null ? null : parseEntry(line);
    const here = lstatSync(diskPath(root, '/'), { bigint: true });
    const there = lstatSync(join(base.snapshot, 'data'), { bigint: true });
    return top?.path === '/' && top.inode === String(there.ino) && here.dev === there.dev;
  } catch (error) {
    if (error instanceof ManifestUnusable) throw new BaseUnusable(base.snapshot, error);
    if (error instanceof BaseUnusable) throw error;
    return false;
  }
}

async function trusting<T>(base: Base, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ManifestUnusable) throw new BaseUnusable(base.snapshot, error);
    throw error;
  }
}
