import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { compareSamples } from '../../src/execute/content-samples.js';
import { placeTouchy } from '../helpers/touchy.js';

let directory: string;
let now: string;
let base: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-samples-'));
  now = join(directory, 'now');
  base = join(directory, 'base');
  for (const place of [now, base]) await mkdir(join(place, 'below'), { recursive: true });
});
afterEach(() => rm(directory, { recursive: true }));

async function put(name: string, ours: string, theirs: string): Promise<void> {
  await writeFile(join(now, name), ours);
  await writeFile(join(base, name), theirs);
}

it('compares files of the same size by their contents', async () => {
  await put('same', 'aaaa', 'aaaa');
  await put('below/other', 'aaaa', 'aaab');
  await put('longer', 'aaaa', 'aaaaa');
  const names = ['same', 'below/other', 'longer', 'gone'];
  expect(await compareSamples(names, now, [join(directory, 'gone'), base])).toEqual({
    same: 1,
    differing: 1,
  });
});

it('opens nothing that is not a file, on either side', async () => {
  const touchy = await placeTouchy(join(now, 'pipe'));
  await writeFile(join(now, 'file'), '');
  const touchyBefore = await placeTouchy(join(base, 'file'));
  execFileSync('mknod', [join(now, 'device'), 'c', '1', '7']);
  await writeFile(join(base, 'device'), '');
  await mkdir(join(directory, 'outside'));
  await writeFile(join(directory, 'outside/file'), 'aaaa');
  await symlink(join(directory, 'outside'), join(now, 'way'));
  await mkdir(join(base, 'way'));
  await writeFile(join(base, 'way/file'), 'aaaa');
  const names = ['pipe', 'file', 'device', 'way/file'];
  expect(await compareSamples(names, now, [base])).toEqual({ same: 0, differing: 0 });
  const wereOpened = await Promise.all([touchy, touchyBefore].map((one) => one.wasOpened()));
  expect(wereOpened).toEqual([false, false]);
});
