import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { flush, must, type Contestant, type Place } from '../contestants.js';
import { cpuOfEndedChildren } from '../cpu-time.js';
import { measure } from '../measurement.js';
import { remove } from '../scratch.js';
import { sshCommand } from './ssh-command.js';

/** borg on the host, which pushes to `borg serve` on the server, without encryption and without compression. */
export async function borg(place: Place): Promise<Contestant> {
  const { command, login } = await sshCommand(place);
  const base = join(place.directory, 'borg');
  await mkdir(base, { recursive: true });
  const env = {
    BORG_RSH: command,
    BORG_BASE_DIR: join(base, 'home'),
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
    BORG_RELOCATED_REPO_ACCESS_IS_OK: 'yes',
  };
  const repository = (tree: string): string => join(base, basename(tree));
  const url = (tree: string): string => `ssh://${login}:${place.sshd.port}${repository(tree)}`;
  let count = 0;
  const create = async (tree: string): Promise<void> => {
    count += 1;
    await must('borg', ['create', '--compression', 'none', `${url(tree)}::${count}`, tree], env);
    await flush(repository(tree));
  };
  return {
    name: 'borg',
    full: async (tree) => {
      await must('borg', ['init', '--encryption', 'none', url(tree)], env);
      return measure(() => create(tree), cpuOfEndedChildren);
    },
    incremental: (tree) => measure(() => create(tree), cpuOfEndedChildren),
    restore: {
      carryOut: (tree, file, into) => {
        const paths = file === null ? [] : [join(tree, file).slice(1)];
        const work = async (): Promise<void> => {
          // It extracts to where it is started.
          const args = ['--chdir', into, 'borg', 'extract', `${url(tree)}::${count}`, ...paths];
          await must('env', args, env);
          await flush(into);
        };
        return measure(work, cpuOfEndedChildren);
      },
      placeOf: (tree, file, into) => join(into, tree, file ?? ''),
    },
    clear: async (tree) => {
      await must('borg', ['delete', '--force', '--force', url(tree)], {
        ...env,
        BORG_DELETE_I_KNOW_WHAT_I_AM_DOING: 'YES',
      });
      await remove(repository(tree));
    },
  };
}
