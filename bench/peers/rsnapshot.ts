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
export async function rsnapshot(place: Place): Promise<Contestant> {
  const { command, login } = await sshCommand(place);
  const [ssh = '', ...sshArgs] = command.split(' ');
  const base = join(place.directory, 'rsnapshot');
  const rootOf = (tree: string): string => join(base, basename(tree));
  const copy = async (tree: string): Promise<void> => {
    const root = rootOf(tree);
    await mkdir(root, { recursive: true });
    const config = join(base, `${basename(tree)}.conf`);
    const lines = [
      ['config_version', '1.2'],
      ['snapshot_root', `${root}/`],
      ['cmd_cp', '/bin/cp'],
      ['cmd_rm', '/bin/rm'],
      ['cmd_rsync', (await must('which', ['rsync'])).trim()],
      ['cmd_ssh', (await must('which', [ssh])).trim()],
      ['ssh_args', sshArgs.join(' ')],
      ['link_dest', '1'],
      ['retain', 'daily', String(kept)],
      ['lockfile', join(base, `${basename(tree)}.pid`)],
      ['backup', `${login}:${tree}/`, 'host/'],
    ];
    await writeFile(config, lines.map((words) => `${words.join('\t')}\n`).join(''));
    await must('rsnapshot', ['-c', config, 'daily']);
    await flush(root);
  };
  return {
    name: 'rsnapshot',
    full: (tree) => measure(() => copy(tree), cpuOfEndedChildren),
    incremental: (tree) => measure(() => copy(tree), cpuOfEndedChildren),
    restore: null,
    clear: (tree) => remove(rootOf(tree)),
  };
}
