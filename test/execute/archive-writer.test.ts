/** With a `tar` before the real one that says something and goes on. */
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BusyError } from '../../src/core/errors.js';
import { writeTarball } from '../../src/execute/archive-writer.js';

const path = process.env.PATH ?? '';
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-writer-'));
  await mkdir(join(directory, 'bin'));
  await mkdir(join(directory, 'snapshot'));
  await writeFile(join(directory, 'snapshot/file'), 'content');
  await writeFile(
    join(directory, 'bin/tar'),
    `#!/bin/sh\ncat "${join(directory, 'words')}" >&2\nPATH='${path}' exec tar "$@"\n`,
  );
  await chmod(join(directory, 'bin/tar'), 0o755);
  process.env.PATH = `${join(directory, 'bin')}:${path}`;
});
afterEach(async () => {
  process.env.PATH = path;
  await rm(directory, { recursive: true, force: true });
});

/** Answers what tar said for the log, and why it was refused. */
async function write(words: string): Promise<{ said: string[]; refusal: BusyError | null }> {
  await writeFile(join(directory, 'words'), words);
  const said: string[] = [];
  const tarball = join(directory, 'tarball');
  await rm(tarball, { force: true });
  const task = { snapshot: join(directory, 'snapshot'), tarball, compressor: 'gzip', host: 'web1' };
  const hooks = { say: (text: string) => void said.push(text), onBytes: () => {} };
  const refusal = await writeTarball(task, hooks, new AbortController().signal).then(
    () => null,
    (error: BusyError) => error,
  );
  return { said, refusal };
}

it('what tar could not read of attributes is an error, though it ends well', async () => {
  const fault = 'tar: snapshot/file: Warning: Cannot flistxattr: Input/output error';
  const { said, refusal } = await write(`tar: snapshot/s: socket ignored\n${fault}\n${fault}\n`);
  expect(said).toHaveLength(3);
  expect(refusal).toMatchObject({
    reason: 'ARCHIVE_FAILED',
    facts: { host: 'web1', snapshot: 'snapshot', detail: expect.stringContaining(`${fault}, and 1 more`) },
  });
});

it('what is known to be harmless passes', async () => {
  const { said, refusal } = await write('tar: snapshot/file: file changed as we read it\n');
  expect({ said, refusal }).toEqual({
    said: ['tar: snapshot/file: file changed as we read it'],
    refusal: null,
  });
  expect((await stat(join(directory, 'tarball'))).size).toBeGreaterThan(0);
  expect((await readFile(join(directory, 'tarball'))).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
});
