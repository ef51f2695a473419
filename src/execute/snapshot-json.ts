/**
 * `snapshot.json`: what a snapshot is, beside its data. It is the record of first instance; the database only
 * repeats it. Fields are added, never renamed.
 */
import { readFile, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Initiator } from '../core/host.js';
import { missingFilesKept, type JobRecord, type MissingFile } from '../core/run.js';
import { isHeld, noTransfer, parseSnapshotName, type SnapshotRecord } from '../core/snapshot.js';
import type { SourceCounts } from '../core/source-gate.js';
import { writeFresh } from './fresh-file.js';
import { verificationState } from './snapshot-verification.js';

const fileName = 'snapshot.json';

export interface SnapshotFacts {
  readonly snapshot: SnapshotRecord;
  readonly jobs: readonly JobRecord[];
  /** All missing files of each job, in the order of the jobs. */
  readonly missingFiles: readonly (readonly MissingFile[])[];
  readonly initiator: Initiator;
  readonly address: string;
  readonly rsyncOnServer: string;
  readonly rsyncOnHost: string;
}

/** Writes the facts into a partial snapshot. */
export async function writeSnapshotJson(directory: string, facts: SnapshotFacts): Promise<void> {
  // What is found out later stands in a file of its own.
  const { path: _, verifiedAt: _never, damagedFileCount: _none, ...snapshot } = facts.snapshot;
  const json = {
    version: 1,
    ...snapshot,
    initiator: facts.initiator,
    address: facts.address,
    rsync: { server: facts.rsyncOnServer, host: facts.rsyncOnHost },
    jobs: facts.jobs.map((job, index) => ({ ...job, missingFiles: facts.missingFiles[index] ?? [] })),
  };
  await writeFresh(join(directory, fileName), `${JSON.stringify(json, null, 2)}\n`);
}

/** Reads one snapshot back; null when it has no (readable) snapshot.json. */
export async function readSnapshotJson(directory: string): Promise<SnapshotRecord | null> {
  try {
    const json = JSON.parse(await readFile(join(directory, fileName), 'utf8')) as SnapshotRecord & {
      version: number;
    };
    const { verifiedAt, damagedFileCount } = await verificationState(directory, new Date(json.committedAt));
    return {
      host: json.host,
      name: json.name,
      type: json.type,
      outcome: json.outcome,
      path: directory,
      startedAt: new Date(json.startedAt),
      committedAt: new Date(json.committedAt),
      runId: json.runId,
      linkBases: json.linkBases,
      sources: json.sources,
      // Older ones have fewer counts, and nothing of a gate.
      stats: { ...noTransfer, ...json.stats },
      missingFileCount: json.missingFileCount,
      heldFor: json.heldFor ?? [],
      // Of before there were manifests.
      manifest: json.manifest ?? null,
      verifiedAt,
      damagedFileCount,
    };
  } catch {
    return null;
  }
}

/**
 * What became of each source directory of a snapshot, as its run has it, with the first of the missing files; empty when
 * its snapshot.json does not tell.
 */
export async function readJobs(directory: string): Promise<readonly JobRecord[]> {
  try {
    const { jobs } = JSON.parse(await readFile(join(directory, fileName), 'utf8')) as { jobs: JobRecord[] };
    return jobs.map((job) => ({ ...job, missingFiles: job.missingFiles.slice(0, missingFilesKept) }));
  } catch {
    return [];
  }
}

/** What a good snapshot has of each source directory; null when it is held, or its snapshot.json does not tell. */
export async function readSourceCounts(directory: string): Promise<readonly SourceCounts[] | null> {
  try {
    const json = JSON.parse(await readFile(join(directory, fileName), 'utf8')) as Partial<SnapshotRecord> & {
      jobs: JobRecord[];
    };
    if (json.heldFor && isHeld({ heldFor: json.heldFor })) return null;
    return json.jobs.flatMap(({ source, stats }) => {
      if (stats === null) return [];
      const { fileCount, regularFiles, totalBytes } = { ...noTransfer, ...stats };
      return [{ source, entries: fileCount, files: regularFiles, bytes: totalBytes }];
    });
  } catch {
    return null;
  }
}

/**
 * Writes that a snapshot is held no more: beside the old file, flushed, and then in its place, so that a crash leaves
 * one of the two. What it was held for stays on record. Throws as the file system does.
 */
export async function writeReleased(directory: string, at: Date): Promise<void> {
  const path = join(directory, fileName);
  const { heldFor, ...json } = JSON.parse(await readFile(path, 'utf8')) as Partial<SnapshotRecord>;
  // A release whose record was lost is asked for again.
  if (!heldFor || !isHeld({ heldFor })) return;
  const released = { ...json, heldFor: [], acknowledged: { at, heldFor } };
  const written = `${path}.new`;
  await writeFresh(written, `${JSON.stringify(released, null, 2)}\n`, { flush: true });
  await rename(written, path);
}

/** The committed snapshots of one host as the disk tells them, oldest first. Empty when there is nothing to read. */
export async function readSnapshots(backupdir: string, hostName: string): Promise<SnapshotRecord[]> {
  const directory = join(backupdir, hostName);
  const names = await readdir(directory).catch(() => [] as string[]);
  const found = await Promise.all(
    names
      .filter((name) => parseSnapshotName(name) !== null)
      .sort()
      .map((name) => readSnapshotJson(join(directory, name))),
  );
  return found.filter((snapshot) => snapshot !== null);
}
