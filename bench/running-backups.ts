import { join } from 'node:path';
import { BackupServiceService } from '../src/gen/busy/v1/backup_service.js';
import { BackupType } from '../src/gen/busy/v1/run.js';
import { callMethod } from '../test/helpers/grpc-calls.js';
import { hasEnded, type TestBed } from '../test/helpers/test-bed.js';
import { remove } from './scratch.js';
import { hostName } from './stock.js';

/** Starts full backups of that many hosts and waits until data comes from all of them. */
export async function startBackups(bed: TestBed, count: number): Promise<{ stop: () => Promise<void> }> {
  const hosts = Array.from({ length: count }, (_, index) => hostName(index));
  const runs = await Promise.all(hosts.map((host) => bed.trigger(host, BackupType.FULL)));
  await Promise.all(
    runs.map(({ id }) => bed.waitForRun(id, (run) => hasEnded(run) || (run.progress?.bytesDone ?? 0) > 0)),
  );
  return {
    /** Throws when one of them has ended before: then they were not running all the time. */
    stop: async () => {
      const client = bed.backups;
      try {
        for (const { id, host } of runs) {
          const { run } = await callMethod(client, BackupServiceService.getRun, { id });
          if (!run || hasEnded(run)) {
            throw new Error(
              `The backup of ${host} ended before all was measured (${run?.error?.message ?? 'it was done'}). ` +
                'Try again when the machine has less to do.',
            );
          }
          await callMethod(client, BackupServiceService.cancelRun, { id });
        }
      } finally {
        client.close();
      }
      await Promise.all(runs.map(({ id }) => bed.waitForRun(id)));
      for (const host of hosts) await remove(join(bed.backupdir, host));
    },
  };
}
