import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { flush, must, type Contestant, type Place } from '../contestants.js';
import { cpuOfEndedChildren } from '../cpu-time.js';
import { measure } from '../measurement.js';
import { remove } from '../scratch.js';
import { sshCommand } from './ssh-command.js';

/** restic on the host, which pushes to the server over sftp. It encrypts always; it is told not to compress. */
export async function restic(place: Place, sftpServer: string): Promise<Contestant> {
  const { command, login } = await sshCommand(place);
  const base = join(place.directory, 'restic');
  await mkdir(base, { recursive: true });
  const passwordFile = join(base, 'password');
  await writeFile(passwordFile, 'for a benchmark\n', { mode: 0o600 });
  const repository = (tree: string): string => join(base, basename(tree));
  const run = async (tree: string, args: readonly string[]): Promise<void> => {
    const common = [
      ['--repo', `sftp:${login}:${repository(tree)}`],
      ['--password-file', passwordFile],
      ['--cache-dir', join(base, `${basename(tree)}.cache`)],
      ['-o', `sftp.command=${command} ${login} ${sftpServer}`],
      ['--compression', 'off', '--quiet'],
    ];
    await must('restic', [...common.flat(), ...args]);
  };
  const backUp = async (tree: string): Promise<void> => {
    await run(tree, ['backup', '--host', 'host', tree]);
    await flush(repository(tree));
  };
  return {
    name: 'restic',
    full: async (tree) => {
      await run(tree, ['init', '--repository-version', '2']);
      return measure(() => backUp(tree), cpuOfEndedChildren);
    },
    incremental: (tree) => measure(() => backUp(tree), cpuOfEndedChildren),
    restore: {
      carryOut: (tree, file, into) => {
        const include = file === null ? [] : ['--include', join(tree, file)];
        const work = async (): Promise<void> => {
          await run(tree, ['restore', 'latest', '--target', into, ...include]);
          await flush(into);
        };
        return measure(work, cpuOfEndedChildren);
      },
      placeOf: (tree, file, into) => join(into, tree, file ?? ''),
    },
    clear: async (tree) => {
      await remove(repository(tree));
      await remove(join(base, `${basename(tree)}.cache`));
    },
  };
}
