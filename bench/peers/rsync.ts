import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { flush, must, type Contestant, type Place } from '../contestants.js';
import { cpuOfEndedChildren } from '../cpu-time.js';
import { measure } from '../measurement.js';
import { remove } from '../scratch.js';
import { sshCommand } from './ssh-command.js';

/** rsync with options, over the system's ssh, and a `sync -f` of the copy, as the daemon does it. */
export async function rsyncBySsh(
  place: Place,
  name: string,
  options: readonly string[],
): Promise<Contestant> {
  const { directory } = place;
  const { command, login } = await sshCommand(place);
  // The daemon keeps each source directory under its own path, and rsync 3.5 looks at every part of the path of a link
  // base for every file. So the copies by hand lie as deep as the snapshots do, or they would win by their place.
  const copies = (tree: string): string =>
    join(directory, 'copies', name.replace(/[^\w]+/g, '-'), basename(tree));
  let count = 0;
  const nth = (tree: string, number: number): string => join(copies(tree), String(number), 'data', tree);
  const copy = async (from: string, to: string, onDisk: string, more: readonly string[]): Promise<void> => {
    await mkdir(onDisk, { recursive: true });
    await must('rsync', [...options, ...more, '-e', command, from, to]);
    await flush(onDisk);
  };
  const next = (tree: string, more: readonly string[]): Promise<void> => {
    count += 1;
    const target = nth(tree, count);
    return copy(`${login}:${tree}/`, `${target}/`, target, more);
  };
  return {
    name,
    full: (tree) => measure(() => next(tree, []), cpuOfEndedChildren),
    incremental: (tree) => {
      const base = nth(tree, count);
      return measure(() => next(tree, [`--link-dest=${base}`]), cpuOfEndedChildren);
    },
    restore: {
      carryOut: (tree, file, into) => {
        const from = join(nth(tree, count), file ?? '/');
        return measure(() => copy(from, `${login}:${into}/`, into, []), cpuOfEndedChildren);
      },
      placeOf: (_tree, file, into) => (file === null ? into : join(into, basename(file))),
    },
    clear: (tree) => remove(copies(tree)),
  };
}
