/**
 * `snapshot.json`: what a snapshot is, beside its data. It is the record of first instance; the database only
 * repeats it. Fields are added, never renamed.
 */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Initiator } from '../core/host.js';
import type { JobRecord, MissingFile } from '../core/run.js';
import { parseSnapshotName, type SnapshotRecord } from '../core/snapshot.js';

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
  const { path: _, ...snapshot } = facts.snapshot;
  const json = {
    version: 1,
    ...snapshot,
    initiator: facts.initiator,
    address: facts.address,
    rsync: { server: facts.rsyncOnServer, host: facts.rsyncOnHost },
    jobs: facts.jobs.map((job, index) => ({ ...job, missingFiles: facts.missingFiles[index] ?? [] })),
  };
  await writeFile(join(directory, fileName), `${JSON.stringify(json, null, 2)}\n`);
}

/** Reads one snapshot back; null when it has no (readable) snapshot.json. */
export async function readSnapshotJson(directory: string): Promise<SnapshotRecord | null> {
  try {
    const json = JSON.parse(await readFile(join(directory, fileName), 'utf8')) as SnapshotRecord & {
      version: number;
    };
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
      stats: json.stats,
      missingFileCount: json.missingFileCount,
    };
  } catch {
    return null;
  }
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
