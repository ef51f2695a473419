import { basename, join } from 'node:path';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { restore, toHost } from '../../test/helpers/restores.js';
import type { TestBed } from '../../test/helpers/test-bed.js';
import type { Contestant } from '../contestants.js';
import { cpuOfTree } from '../cpu-time.js';
import { measure } from '../measurement.js';
import { remove } from '../scratch.js';

/** The daemon, which must run. The time is that from the call that asks for the work to the end of its run. */
export function daemonBackups(bed: TestBed, name: string, hostOf: (tree: string) => string): Contestant {
  const last = new Map<string, Run>();
  let fileCount = 0;
  const backUp = async (tree: string, type: BackupType): Promise<void> => {
    const run = succeeded(await bed.backUp(hostOf(tree), type), 'backup');
    const sent = run.jobs.reduce((sum, job) => sum + (job.stats?.filesTransferred ?? 0), 0);
    const isFull = type === BackupType.FULL;
    if (isFull) fileCount = sent;
    if (sent === 0 ? isFull : !isFull && sent === fileCount && sent > manyFiles) {
      throw new Error(`The backup of ${run.host} sent ${sent} files, which is not what its type says.`);
    }
    last.set(tree, run);
  };
  const cpu = (): Promise<number> => cpuOfTree(bed.daemonPid());
  return {
    name,
    full: (tree) => measure(() => backUp(tree, BackupType.FULL), cpu),
    incremental: (tree) => measure(() => backUp(tree, BackupType.INCREMENTAL), cpu),
    restore: {
      carryOut: (tree, file, into) => {
        const of = last.get(tree);
        if (!of) throw new Error(`There is no snapshot of ${tree}.`);
        const paths = [file === null ? tree : join(tree, file)];
        const work = async (): Promise<void> => {
          succeeded(await restore(bed, { of, paths, target: toHost(of.host, into) }), 'restore');
        };
        return measure(work, cpu);
      },
      placeOf: (tree, file, into) => join(into, basename(file ?? tree)),
    },
    clear: (tree) => remove(join(bed.backupdir, hostOf(tree))),
  };
}

/** With fewer, an incremental backup may well have to send all of them. */
const manyFiles = 10;

function succeeded(run: Run, what: string): Run {
  if (run.state === RunState.SUCCEEDED) return run;
  throw new Error(`The ${what} of ${run.host} failed: ${run.error?.message ?? 'for no known reason'}`);
}
