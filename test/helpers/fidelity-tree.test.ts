import { execFile } from 'node:child_process';
import { chmod, mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareTrees, makeFidelityTree, sparseFile, sparseFileBytes } from './fidelity-tree.js';

const runFile = promisify(execFile);
let directory: string;
let source: string;
let copy: string;
let description: string[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-tree-'));
  source = join(directory, 'source');
  copy = join(directory, 'copy');
  ({ description } = await makeFidelityTree(source));
  await runFile('rsync', ['-aHAXS', '--numeric-ids', `${source}/`, `${copy}/`]);
}, 120_000);

afterAll(async () => {
  await rm(directory, { recursive: true });
});

test('a copy by rsync has no difference, and its holes', { timeout: 120_000 }, async () => {
  expect(await compareTrees(source, copy)).toEqual([]);
  const { size, blocks } = await stat(join(copy, sparseFile));
  expect(size).toBe(sparseFileBytes);
  expect(blocks * 512).toBeLessThan(1024 ** 2);
});

test('every damage is named', { timeout: 120_000 }, async () => {
  await chmod(join(copy, 'modes/file 600'), 0o640);
  await runFile('touch', [
    '-d',
    '2001-02-03 04:05:06.000000002 UTC',
    join(copy, 'times/2001-02-03 04:05:06.000000001'),
  ]);
  await changeContentOnly(join(copy, 'nested/a/b/larger'));
  await splitHardLink(join(copy, 'hard links/second'));
  await writeFile(join(copy, 'names/extra'), '');
  await rm(join(copy, 'symlinks/dangling'));
  await rm(join(copy, 'special/fifo'));
  const lost = [/^\.f\.\.\.p.* modes\/file 600$/, /^\.f\.\.t.* times\/2001-02-03 04:05:06\.000000001$/];
  lost.push(/^>fc.* nested\/a\/b\/larger$/, /^hf.* hard links\/second/, /^\*deleting +names\/extra$/);
  lost.push(/^cL.* symlinks\/dangling /, /^cS.* special\/fifo$/);
  if (description.includes('extended attributes')) {
    await runFile('setfattr', ['-x', 'user.busy.empty', join(copy, 'attributes/file')]);
    lost.push(/^\.f.*x attributes\/file$/);
  }
  if (description.includes('ACLs')) {
    await runFile('setfacl', ['-m', 'u:1234:r', join(copy, 'acls/heir')]);
    lost.push(/^\.f.*a\. acls\/heir$/);
  }

  const differences = await compareTrees(source, copy);
  for (const line of lost) expect(differences).toContainEqual(expect.stringMatching(line));
  const directories = differences.filter((line) => line.startsWith('.d..t'));
  expect(differences).toHaveLength(lost.length + directories.length);
});

test('a directory that is missing is an error, not a difference', async () => {
  await expect(compareTrees(join(directory, 'nowhere'), copy)).rejects.toThrow(
    /rsync ended with 23 .*nowhere/s,
  );
});

/** Keeps size and times, so that only reading the file shows it. */
async function changeContentOnly(file: string): Promise<void> {
  const times = ['-r', file, `${file}.times`];
  await runFile('touch', times);
  const handle = await open(file, 'r+');
  await handle.write('b', 0);
  await handle.close();
  await runFile('touch', ['-r', `${file}.times`, file]);
  await rm(`${file}.times`);
}

/** Leaves an equal file with an inode of its own. */
async function splitHardLink(file: string): Promise<void> {
  await runFile('cp', ['-a', file, `${file}.own`]);
  await runFile('mv', [`${file}.own`, file]);
}
