import { execFileSync } from 'node:child_process';
import { closeSync, lstatSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openPlainFile } from '../../src/execute/plain-file.js';

let directory: string;
let device: bigint;
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'busy-plain-')));
  device = lstatSync(directory, { bigint: true }).dev;
});
afterEach(() => rm(directory, { recursive: true }));

function open(name: string, on = device): number | null {
  return openPlainFile(`${directory}/${name}`, on);
}

it('opens a file, whatever bytes its name has', async () => {
  const name = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xe4, 0x0a, 0x25])]);
  await writeFile(name, 'content');
  const file = open('\xe4\n%');
  expect(file).not.toBeNull();
  expect(readFileSync(file ?? -1, 'utf8')).toBe('content');
  closeSync(file ?? -1);
});

it('tells what is not there', () => {
  expect(() => open('gone')).toThrow('ENOENT');
});

// Their numbers have no driver and a socket cannot be opened, so an attempt would throw.
it('does not open devices and sockets', async () => {
  execFileSync('mknod', [join(directory, 'character'), 'c', '250', '77']);
  execFileSync('mknod', [join(directory, 'block'), 'b', '250', '77']);
  const server = createServer().listen(join(directory, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  expect(['character', 'block', 'socket'].map((name) => open(name))).toEqual([null, null, null]);
  server.close();
});

it('reaches nothing through a link, and nothing on another file system', async () => {
  await mkdir(join(directory, 'real'));
  await writeFile(join(directory, 'real/file'), 'content');
  await symlink('real', join(directory, 'way'));
  await symlink('real/file', join(directory, 'link'));
  expect(['way/file', 'link', 'real/../real/file'].map((name) => open(name))).toEqual([null, null, null]);
  expect(open('real/file', device + 1n)).toBeNull();
});
