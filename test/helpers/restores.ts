/** Restores as a client asks for them. */
import { RestoreMode, type RestoreTarget } from '../../src/gen/busy/v1/restore.js';
import type { Run } from '../../src/gen/busy/v1/run.js';
import { RestoreRequest, SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { callMethod } from './grpc-calls.js';
import type { TestBed } from './test-bed.js';

export const original: RestoreTarget = { place: { $case: 'original', value: {} } };

export function toHost(host: string, directory: string): RestoreTarget {
  return { place: { $case: 'hostDirectory', value: { host, directory } } };
}

export function toServer(directory: string): RestoreTarget {
  return { place: { $case: 'serverDirectory', value: directory } };
}

export interface Wanted extends Partial<Omit<RestoreRequest, 'target'>> {
  /** The backup whose snapshot is restored. */
  readonly of: Run;
  readonly target: RestoreTarget;
}

/** Asks for a restore and answers its run. */
export async function askRestore(bed: TestBed, { of, ...wanted }: Wanted): Promise<Run> {
  const client = bed.snapshots;
  try {
    const request = RestoreRequest.fromPartial({
      host: of.host,
      snapshot: of.snapshot,
      mode: RestoreMode.OVERWRITE,
      ...wanted,
    });
    const { run } = await callMethod(client, SnapshotServiceService.restore, request);
    if (!run) throw new Error('no run was answered');
    return run;
  } finally {
    client.close();
  }
}

/** Restores and waits for the end. */
export async function restore(bed: TestBed, wanted: Wanted): Promise<Run> {
  return bed.waitForRun((await askRestore(bed, wanted)).id);
}
