/** What a directory holds, written down completely enough to prove that nothing in it was changed. */
import { lstat, mkdir, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { runCommand } from './run-command.js';

/**
 * One line an entry: path, type, mode, owners, size, modification time with its fraction, link target; then the sum
 * of every file and all extended attributes (ACLs among them). Left out is the change time, since a new link to a
 * file changes it. For names without line ends.
 */
export async function listTree(directory: string): Promise<string[]> {
  const listings = [
    await runCommand('find', [directory, '-printf', '%P %y %m %U:%G %s %T@ %l\n']),
    await runCommand('find', [directory, '-type', 'f', '-exec', 'sha256sum', '--', '{}', '+']),
    await runCommand('getfattr', ['-Rhd', '-m', '-', '-e', 'hex', '--absolute-names', '--', directory]),
  ];
  const failed = listings.find(({ code }) => code !== 0);
  if (failed) throw new Error(`could not list ${directory}: ${failed.stderr}`);
  return listings.map(({ stdout }) => stdout.split('\n').sort()).flat();
}

export async function inodeOf(path: string): Promise<number> {
  return (await lstat(path)).ino;
}

/** Writes files below a directory; a number stands for so many random bytes, which no delta and no -z makes small. */
export async function writeFiles(
  directory: string,
  files: Readonly<Record<string, string | number>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, typeof content === 'number' ? randomBytes(content) : content);
  }
}
