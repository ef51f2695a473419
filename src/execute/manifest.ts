/**
 * Makes the manifest of a snapshot that is about to be committed. What is the same file as in a snapshot before keeps
 * the hash that it has there, so an incremental reads only what is new in it; and no file is read twice.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf, type BytePath } from '../core/byte-path.js';
import type { ReadingTools } from './file-content.js';
import { BatchQueue } from './batch-queue.js';
import { LeftFiles } from './left-files.js';
import { ManifestAssembly } from './manifest-assembly.js';
import { BaseUnusable, ManifestBases } from './manifest-bases.js';
import { makeLines } from './manifest-batch.js';
import { manifestName } from './manifest-format.js';
import { ManifestHelpers } from './manifest-helpers.js';
import type { LineCounts } from './manifest-lines.js';
import { ManifestWriter } from './manifest-writer.js';
import { SharedHashes } from './shared-hashes.js';
import { TreeListing } from './tree-listing.js';

export interface ManifestTask {
  /** The partial snapshot. */
  readonly directory: string;
  /** Another tree than the data of the snapshot, and where its manifest is to be written. */
  readonly other?: { readonly root: string; readonly file: string };
  /** Snapshots whose files may be linked into it, best first. */
  readonly bases: readonly string[];
  /** Files that were hashed while they were copied, as `HashedFiles` shares them. */
  readonly ahead?: SharedArrayBuffer | null;
}

export type ManifestReport = LineCounts;

/** What long work on a disk is told, and tells. */
export interface DiskWorkHooks {
  /** Throws when the work was cancelled. */
  readonly check: () => void;
  /** A line for the log of the run. */
  readonly say: (text: string) => void;
  /** So many entries and bytes have been dealt with. */
  readonly onProgress: (done: { entries: number; bytes: number; current: BytePath }) => void;
}

/** Paths that are dealt with together. Some batches are in memory at a time, each path with its line or two. */
const batchSize = 400;
/** What has no more is over before a thread has started. */
const batchesAlone = 10;

/** Throws what the file system says, and what `hooks.check` throws; no manifest is left then. */
export async function makeManifest(task: ManifestTask, hooks: DiskWorkHooks): Promise<ManifestReport> {
  const file = task.other?.file ?? join(task.directory, manifestName);
  let { bases } = task;
  for (;;) {
    try {
      return await attempt(file, { ...task, bases }, hooks);
    } catch (error) {
      await rm(file, { force: true });
      if (!(error instanceof BaseUnusable)) throw error;
      // What it told until then is void too.
      hooks.say(
        `the manifest of ${error.base} cannot be used, so its files are read again: ${error.message}`,
      );
      bases = bases.filter((base) => base !== error.base);
    }
  }
}

async function attempt(
  file: string,
  { directory, bases, other, ahead }: ManifestTask,
  hooks: DiskWorkHooks,
): Promise<ManifestReport> {
  const root = bytesOf(other?.root ?? join(directory, 'data'));
  const tools: ReadingTools = {
    root,
    ahead: ahead ? new SharedHashes(ahead) : null,
    check: hooks.check,
    onProgress: hooks.onProgress,
  };
  const known = await ManifestBases.open(bases, root);
  const helpers = new ManifestHelpers({ root, ahead: ahead ?? null }, tools);
  const manifest = new ManifestAssembly(
    new ManifestWriter(file),
    tools,
    new LeftFiles(tools, helpers),
    hooks.say,
  );
  const queue = new BatchQueue(manifest);
  let isComplete = false;
  try {
    const listing = new TreeListing(root);
    let batches = 0;
    for (let listed = listing.next(batchSize); listed; listed = listing.next(batchSize)) {
      hooks.check();
      if (++batches === batchesAlone) helpers.start();
      const batch = { ...listed, known: await known.linesOf(listed.paths) };
      await queue.add(helpers.make(batch) ?? makeLines(batch, tools));
    }
    await known.finish();
    await queue.end();
    const report = await manifest.end();
    isComplete = true;
    return report;
  } finally {
    await helpers.close();
    await known.close();
    if (!isComplete) await manifest.abandon();
  }
}
