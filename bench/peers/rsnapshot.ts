import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { flush, must, type Contestant, type Place } from '../contestants.js';
import { cpuOfEndedChildren } from '../cpu-time.js';
import { measure } from '../measurement.js';
import { remove } from '../scratch.js';
import { sshCommand } from './ssh-command.js';

/** More than any benchmark makes, so that none is removed while the next is made. */
const kept = 50;

/** rsnapshot as it is installed, with `link_dest` and one interval; the words for rsync are its own. */
export async function rsnapshot(
  place: Place,
  [, rsync = '', ssh = '']: readonly string[],
): Promise<Contestant> {
  const { command, login } = await sshCommand(place);
  const sshArgs = command.split(' ').slice(1).join(' ');
  const base = join(place.directory, 'rsnapshot');
  const rootOf = (tree: string): string => join(base, basename(tree));
  const configOf = (tree: string): string => join(base, `${basename(tree)}.conf`);
  const configure = async (tree: string): Promise<void> => {
    await mkdir(rootOf(tree), { recursive: true });
    const lines = [
      ['config_version', '1.2'],
      ['snapshot_root', `${rootOf(tree)}/`],
      ['cmd_cp', '/bin/cp'],
      ['cmd_rm', '/bin/rm'],
      ['cmd_rsync', rsync],
      ['cmd_ssh', ssh],
      ['ssh_args', sshArgs],
      ['link_dest', '1'],
      ['retain', 'daily', String(kept)],
      ['lockfile', join(base, `${basename(tree)}.pid`)],
      ['backup', `${login}:${tree}/`, 'host/'],
    ];
    await writeFile(configOf(tree), lines.map((words) => `${words.join('\t')}\n`).join(''));
  };
  const copy = async (tree: string): Promise<void> => {
    await must('rsnapshot', ['-c', configOf(tree), 'daily']);
    await flush(rootOf(tree));
  };
  return {
    name: 'rsnapshot',
    full: async (tree) => {
      await configure(tree);
      return measure(() => copy(tree), cpuOfEndedChildren);
    },
    incremental: (tree) => measure(() => copy(tree), cpuOfEndedChildren),
    restore: null,
    clear: (tree) => remove(rootOf(tree)),
  };
}
