import { mkdir, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { flush, must, type Contestant, type Place } from '../contestants.js';
import { cpuOfEndedChildren } from '../cpu-time.js';
import { measure } from '../measurement.js';
import { remove } from '../scratch.js';
import { sshCommand } from './ssh-command.js';

/** What BackupPC 4 gives it by default, for backups and restores alike. */
const commonArgs =
  '--super --recursive --protect-args --numeric-ids --perms --owner --group -D --times --links --hard-links --partial'.split(
    ' ',
  );
const backupArgs = [...commonArgs, '--delete', '--delete-excluded', '--one-file-system'];
/** No file has another inode number than those before, so it counts on from far beyond them. */
const inodesPerBackup = 10_000_000;

/**
 * BackupPC's own rsync, called as BackupPC_dump calls it, into a pool without compression. What BackupPC does around it
 * (counting references in the pool, each after a backup) is not there, which is to its advantage.
 */
export async function backuppcRsync(place: Place, program: string): Promise<Contestant> {
  const { command, login } = await sshCommand(place);
  const base = join(place.directory, 'backuppc');
  const topDir = (tree: string): string => join(base, basename(tree));
  const backupDir = (tree: string, number: number): string =>
    join(topDir(tree), 'pc', 'host', String(number));
  let count = -1;
  const run = async (tree: string, args: readonly string[]): Promise<void> => {
    const common = [
      ['--bpc-top-dir', topDir(tree)],
      ['--bpc-host-name', 'host'],
      ['--bpc-share-name', tree],
      ['--bpc-bkup-num', String(count)],
      ['--bpc-bkup-comp', '0'],
      ['--bpc-log-level', '0'],
      ['--bpc-attrib-new', '-e', command],
    ];
    await must(program, [...common.flat(), ...args]);
  };
  const backUp = async (tree: string, previous: number, more: readonly string[]): Promise<void> => {
    const state = [
      ['--bpc-bkup-prevnum', String(previous)],
      ['--bpc-bkup-prevcomp', previous < 0 ? '-1' : '0'],
      ['--bpc-bkup-inode0', String(1 + count * inodesPerBackup)],
    ];
    await run(tree, [...state.flat(), ...backupArgs, ...more, `${login}:${tree}/`, '/']);
    await flush(topDir(tree));
  };
  return {
    name: 'rsync_bpc',
    full: async (tree) => {
      count = 0;
      for (const pool of ['pool', 'cpool']) await mkdir(join(topDir(tree), pool), { recursive: true });
      await mkdir(backupDir(tree, 0), { recursive: true });
      return measure(() => backUp(tree, -1, ['--checksum']), cpuOfEndedChildren);
    },
    incremental: (tree) => {
      const previous = count;
      count += 1;
      const work = async (): Promise<void> => {
        // The newest one is whole, and the one before becomes what leads back to it.
        await rename(backupDir(tree, previous), backupDir(tree, count));
        await mkdir(backupDir(tree, previous));
        await backUp(tree, previous, []);
      };
      return measure(work, cpuOfEndedChildren);
    },
    restore: {
      carryOut: (tree, file, into) => {
        const work = async (): Promise<void> => {
          const list = join(base, 'files');
          await writeFile(list, `${file ?? '.'}\n`);
          const from = file === null ? [] : [`--files-from=${list}`];
          const merge = ['--bpc-bkup-merge', `${count}/0/4`];
          await run(tree, [...merge, ...commonArgs, '--one-file-system', ...from, '/', `${login}:${into}`]);
          await flush(into);
        };
        return measure(work, cpuOfEndedChildren);
      },
      placeOf: (_tree, file, into) => join(into, file ?? ''),
    },
    clear: (tree) => remove(topDir(tree)),
  };
}
