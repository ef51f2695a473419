/** What there is of one host: its snapshots as the API lists them, and what lies in its directory. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupServiceService } from '../../src/gen/busy/v1/backup_service.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import type { Run } from '../../src/gen/busy/v1/run.js';
import { callMethod } from './grpc-calls.js';
import { hasEnded, until, type TestBed } from './test-bed.js';

/** Names of the snapshots that ListSnapshots answers, oldest first. */
export async function listedSnapshots(bed: TestBed, host: string): Promise<string[]> {
  const client = bed.snapshots;
  try {
    const request = { pageSize: 0, pageToken: '', host };
    const { snapshots } = await callMethod(client, SnapshotServiceService.listSnapshots, request);
    return snapshots.map(({ name }) => name).toReversed();
  } finally {
    client.close();
  }
}

/** Directories that unfinished backups left, oldest first. */
export async function partialDirs(bed: TestBed, host: string): Promise<string[]> {
  const names = await readdir(join(bed.backupdir, host));
  const partials = names.filter((name) => name.startsWith('.partial-')).sort();
  return partials.map((name) => join(bed.backupdir, host, name));
}

/** Settles when the host's directory holds snapshots, what is known of their verification, and nothing else. */
export async function untilSwept(bed: TestBed, host: string): Promise<void> {
  let names: string[] = [];
  const isSwept = async (): Promise<boolean> => {
    names = await readdir(join(bed.backupdir, host));
    return !names.some((name) => name.startsWith('.') && name !== '.verified.json');
  };
  await until(isSwept, `what was left of ${host} to be removed`, () => names.join(' '));
}

/**
 * Settles when the run copies the file `name` of the source directory and has at least `leastBytes` of it, but not
 * all. Fails when the run ends before.
 */
export async function untilCopying(
  bed: TestBed,
  { id, host }: Pick<Run, 'id' | 'host'>,
  file: { readonly source: string; readonly name: string; readonly leastBytes: number },
): Promise<void> {
  const isCopying = async (): Promise<boolean> => {
    const run = await getRun(bed, id);
    if (hasEnded(run)) throw new Error(`the run ended too early: ${JSON.stringify(run)}`);
    const [partial] = (await partialDirs(bed, host).catch(() => [])).slice(-1);
    if (partial === undefined) return false;
    const directory = join(partial, 'data', file.source);
    const names = await readdir(directory).catch(() => [] as string[]);
    // rsync writes into .NAME.XXXXXX, and renames that when it is complete.
    const growing = names.find((name) => name.startsWith(`.${file.name}.`));
    if (growing === undefined) return false;
    const size = await stat(join(directory, growing)).then(
      (found) => found.size,
      () => 0,
    );
    return size >= file.leastBytes;
  };
  await until(isCopying, `${file.name} of ${host} to be on its way`);
}

async function getRun(bed: TestBed, id: string): Promise<Run> {
  const client = bed.backups;
  try {
    const { run } = await callMethod(client, BackupServiceService.getRun, { id });
    if (!run) throw new Error('no run was answered');
    return run;
  } finally {
    client.close();
  }
}
