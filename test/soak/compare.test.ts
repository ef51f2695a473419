/** The comparison of the soak sees each way in which a copy can be wrong. */
import * as fs from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCommand } from '../helpers/run-command.js';
import { compareWithModel } from './compare.js';
import { Random } from './random.js';
import { changeSource } from './source-actions.js';
import { SourceTree, setTime } from './source-tree.js';

describe('a copy of a source', () => {
  let scratch: string;
  let tree: SourceTree;
  let copy: string;
  const inCopy = (name: string): Buffer => Buffer.from(join(copy, name));

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'busy-soak-'));
    tree = new SourceTree(join(scratch, 'source'), 1);
    copy = join(scratch, 'copy');
    tree.make('file', { kind: 'file', content: tree.newContent(1000) }, 0o640);
    tree.link('file', 'link');
    tree.make('other', tree.get('file').body, 0o640, tree.get('file').mtimeNs);
    tree.make('symlink', { kind: 'symlink', target: 'file' }, 0o777);
    tree.make('directory', { kind: 'directory' }, 0o755);
  });
  // By rm, since Node may fail at names that are not UTF-8.
  afterEach(() => runCommand('rm', ['-rf', '--', scratch]));

  async function copyAll(): Promise<void> {
    expect(await runCommand('cp', ['-a', tree.root, copy])).toMatchObject({ code: 0 });
  }

  test('is what the model says after many changes', async () => {
    const random = new Random(7);
    for (let count = 0; count < 300; count++) changeSource(tree, random);
    await copyAll();
    expect(compareWithModel(copy, tree.freeze(), false).differences).toEqual([]);
  });

  test.each<[string, () => void, RegExp]>([
    ['a missing file', () => fs.unlinkSync(inCopy('other')), /"other" is missing/],
    ['one too many', () => fs.writeFileSync(inCopy('new'), ''), /"new" should not be there/],
    ['a symlink elsewhere', () => relink('elsewhere'), /"symlink" points to "elsewhere"/],
    ['another kind', () => makeFile('directory'), /"directory" is a file, not a directory/],
    ['another mode', () => fs.chmodSync(inCopy('file'), 0o641), /"file" has the mode 641, not 640/],
    ['another time', () => later('file', 1n), /"link" is of \d+1, not of \d+0/],
    ['another time of a directory', () => later('directory', 1n), /"directory" is of/],
    ['another content', () => spoil('other'), /"other" has another content/],
    ['a link that is a copy', () => copyFile('file', 'link'), /"link" and "file" are not links/],
    ['a copy that is a link', () => linkFile('file', 'other'), /"other" and "file" are links of one file/],
  ])('is wrong with %s', async (_, damage, sentence) => {
    await copyAll();
    damage();
    // Only what is meant: what was done to names in it has changed the time of the copy itself.
    setTime(Buffer.from(copy), tree.get('').mtimeNs);
    expect(compareWithModel(copy, tree.freeze(), false).differences.join('\n')).toMatch(sentence);
  });

  test('may have one file for two that are alike, where that is allowed', async () => {
    await copyAll();
    linkFile('file', 'other');
    setTime(Buffer.from(copy), tree.get('').mtimeNs);
    expect(compareWithModel(copy, tree.freeze(), true).differences).toEqual([]);
  });

  function relink(target: string): void {
    fs.unlinkSync(inCopy('symlink'));
    fs.symlinkSync(target, inCopy('symlink'));
    setTime(inCopy('symlink'), tree.get('symlink').mtimeNs);
  }

  function makeFile(name: string): void {
    fs.rmdirSync(inCopy(name));
    fs.writeFileSync(inCopy(name), '');
  }

  function later(name: string, byNs: bigint): void {
    setTime(inCopy(name), tree.get(name).mtimeNs + byNs);
  }

  function spoil(name: string): void {
    fs.writeFileSync(inCopy(name), Buffer.alloc(1000));
    later(name, 0n);
  }

  function copyFile(from: string, to: string): void {
    fs.rmSync(inCopy(to));
    fs.copyFileSync(inCopy(from), inCopy(to));
    later(to, 0n);
  }

  function linkFile(from: string, to: string): void {
    fs.rmSync(inCopy(to));
    fs.linkSync(inCopy(from), inCopy(to));
  }
});
