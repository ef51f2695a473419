/** A daemon's past: hosts that have been backed up before, and two long logs. */
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ulid } from 'ulid';
import type { RunRecord } from '../src/core/run.js';
import { noTransfer, snapshotName, type SnapshotRecord } from '../src/core/snapshot.js';
import { openDatabase } from '../src/store/data-source.js';
import { createRunStore } from '../src/store/runs.js';
import { createSnapshotStore } from '../src/store/snapshots.js';

/** The log of a run that has ended. */
export interface StoredLog {
  readonly runId: string;
  readonly lineCount: number;
}

export interface StoredLogs {
  /** For one subscriber. */
  readonly long: StoredLog;
  /** For fifty, so that together they get as many lines as one gets of the long one. */
  readonly short: StoredLog;
}

const shortShare = 50;
const linesPerWrite = 10_000;
const endedAt = new Date('2026-11-22T20:10:00Z');

export function hostName(index: number): string {
  return `host-${String(index).padStart(4, '0')}`;
}

/** Writes the logs, with lines of about 110 bytes, into the state directory of a daemon that does not run. */
export async function writeRunLogs(stateDir: string, lineCount: number): Promise<StoredLogs> {
  const directory = join(stateDir, 'run-logs');
  await mkdir(directory, { recursive: true });
  const write = async (lines: number): Promise<StoredLog> => {
    const runId = ulid(endedAt.getTime());
    const numbers = Array.from({ length: lines }, (_, number) => number);
    for (let start = 0; start < lines; start += linesPerWrite) {
      const text = numbers
        .slice(start, start + linesPerWrite)
        .map(logLine)
        .join('');
      await appendFile(join(directory, `${runId}.log`), text);
    }
    return { runId, lineCount: lines };
  };
  return { long: await write(lineCount), short: await write(lineCount / shortShare) };
}

/** Gives each host a run and a snapshot; the first two runs are those of the logs. */
export async function fillDatabase(file: string, hostCount: number, logs: StoredLogs): Promise<void> {
  const database = await openDatabase({ kind: 'sqlite', path: file });
  const [runs, snapshots] = [createRunStore(database), createSnapshotStore(database)];
  try {
    for (let index = 0; index < hostCount; index++) {
      const id = [logs.long.runId, logs.short.runId][index] ?? ulid(endedAt.getTime());
      const snapshot = snapshotOf(hostName(index), id);
      await snapshots.put(snapshot);
      await runs.add(runOf(snapshot, index + 1));
    }
  } finally {
    await database.close();
  }
}

function logLine(number: number): string {
  const path = `/home/someone/documents/folder-${number % 97}/file-${number}.txt`;
  return `2026-11-22T20:00:05.123Z job 1: rsync: [sender] send_files failed to open "${path}"\n`;
}

/** A snapshot of a host, as large as a server often is. */
export function snapshotOf(host: string, runId: string): SnapshotRecord {
  const startedAt = new Date('2026-11-22T20:00:05Z');
  const name = snapshotName(startedAt, 'full');
  return {
    host,
    name,
    type: 'full',
    outcome: 'SUCCEEDED',
    path: `/srv/backup/${host}/${name}`,
    startedAt,
    committedAt: endedAt,
    runId,
    linkBases: [],
    sources: ['/etc', '/home'],
    stats: { ...noTransfer, fileCount: 123_456, totalBytes: 198_765_432 },
    missingFileCount: 0,
    heldFor: [],
    manifest: null,
    verifiedAt: null,
    damagedFileCount: 0,
  };
}

/** The run that made a snapshot. */
export function runOf({ host, name, runId, startedAt }: SnapshotRecord, revision: number): RunRecord {
  return {
    id: runId,
    kind: 'backup',
    host,
    state: 'SUCCEEDED',
    requestedType: 'auto',
    type: 'full',
    typeReason: 'there is no snapshot yet',
    createdAt: startedAt,
    startedAt,
    endedAt,
    snapshot: name,
    error: null,
    jobs: [],
    verification: null,
    archiving: null,
    restore: null,
    drill: null,
    requestId: null,
    isScheduled: false,
    acceptsChanges: false,
    revision,
  };
}
