import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type * as ArchiveCheck from '../../src/execute/archive-check.js';
import { ManifestWriter } from '../../src/execute/manifest-writer.js';

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
