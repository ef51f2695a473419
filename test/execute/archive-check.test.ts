import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type * as ArchiveCheck from '../../src/execute/archive-check.js';
import type { ArchiveCheckTask } from '../../src/execute/archive-check.js';
import { ManifestWriter } from '../../src/execute/manifest-writer.js';
import { runCommand } from '../helpers/run-command.js';

// Its threads run what is compiled.
const compiled = new URL('../../dist/src/execute/archive-check.js', import.meta.url).href;
const { checkArchive, isDamageOfStream } = (await import(compiled)) as typeof ArchiveCheck;

let directory: string;
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'busy-check-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

it.each([
  ['Z_DATA_ERROR', true],
  ['Z_BUF_ERROR', true],
  ['Z_MEM_ERROR', false],
  ['ZSTD_DAMAGE', true],
  ['EIO', true],
  ['ENOENT', false],
  ['EMFILE', false],
  ['EACCES', false],
  ['ESTALE', false],
  ['ERR_WORKER_OUT_OF_MEMORY', false],
])('%s: damage %s', (code, isDamage) => {
  expect(isDamageOfStream(Object.assign(new Error('it fails'), { code }))).toBe(isDamage);
});

it('an error without a code is none', () => {
  expect(isDamageOfStream(new Error('zstd ended with signal SIGKILL'))).toBe(false);
});

it('what is broken is in the report; what is away tells nothing', async () => {
  const manifest = join(directory, 'manifest.gz');
  const writer = new ManifestWriter(manifest);
  await writer.end();
  const hooks = { check: () => {}, say: () => {}, onProgress: () => {} };
  const check = (file: string, format: 'tar.gz' | 'tar.zst') => {
    const tarball = join(directory, file);
    return checkArchive({ tarball, format, manifest, name: 'NAME', root: 'data', snapshot: null }, hooks);
  };
  await writeFile(join(directory, 'cut'), gzipSync(Buffer.alloc(10_000)).subarray(0, 20));
  await writeFile(join(directory, 'other'), 'no tarball at all');
  for (const [file, format] of [
    ['cut', 'tar.gz'],
    ['other', 'tar.gz'],
    ['other', 'tar.zst'],
  ] as const) {
    expect(await check(file, format), `${file} ${format}`).toMatchObject({ wrongCount: 1, sha256: '' });
    await expect(check('away', format)).rejects.toMatchObject({ code: 'ENOENT' });
  }
  await rm(manifest);
  await expect(check('cut', 'tar.gz')).rejects.toMatchObject({ code: 'ENOENT' });
});

async function taskOf(format: 'tar.gz' | 'tar.zst'): Promise<ArchiveCheckTask> {
  const data = join(directory, 'NAME', 'data');
  await mkdir(data, { recursive: true });
  // Too large for all that may wait between the decompressor and who reads it.
  for (const name of ['a', 'b']) await writeFile(join(data, name), randomBytes(16 * 1024 * 1024));
  const manifest = join(directory, 'manifest.gz');
  const writer = new ManifestWriter(manifest);
  await writer.end();
  const tarball = join(directory, 'whole');
  const options = ['-c', format === 'tar.gz' ? '--gzip' : '--zstd', '--format=posix', '--sort=name'];
  const { code } = await runCommand('tar', [...options, '-f', tarball, '-C', directory, 'NAME']);
  expect(code).toBe(0);
  return { tarball, format, manifest, name: 'NAME', root: 'data', snapshot: null };
}

describe('of a large tarball', () => {
  const hooks = { check: () => {}, say: () => {}, onProgress: () => {} };

  it.each(['tar.gz', 'tar.zst'] as const)('%s: it ends in its middle when it is to end', async (format) => {
    const task = await taskOf(format);
    let asked = 0;
    const check = (): void => {
      asked += 1;
      if (asked > 1) throw new Error('it is to end');
    };
    await expect(checkArchive(task, { ...hooks, check })).rejects.toThrow('it is to end');
  });

  it.each(['tar.gz', 'tar.zst'] as const)('%s: it ends when the manifest is broken', async (format) => {
    const task = await taskOf(format);
    await writeFile(task.manifest, gzipSync('no manifest\n'));
    const report = await checkArchive(task, hooks);
    expect(report.firstWrong).toContain('its manifest cannot be used');
  });

  it('what lies beside the data is read piece by piece, and it can be ended there', async () => {
    const task = { ...(await taskOf('tar.zst')), snapshot: join(directory, 'NAME') };
    await writeFile(join(task.snapshot, 'job.log'), randomBytes(3_000_000));
    await symlink('job.log', join(task.snapshot, 'link'));
    const opened: string[] = [];
    const check = (): void => {
      opened.push('piece');
      if (opened.length > 4) throw new Error('it is to end');
    };
    await rm(task.tarball);
    await expect(checkArchive(task, { ...hooks, check })).rejects.toThrow('it is to end');
  });
});
