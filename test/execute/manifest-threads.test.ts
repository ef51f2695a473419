import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bytesOf, type BytePath } from '../../src/core/byte-path.js';
import type { BusyError } from '../../src/core/errors.js';
import type { DiskWorkHooks, makeManifest, ManifestReport } from '../../src/execute/manifest.js';
import type { ManifestHelpers } from '../../src/execute/manifest-helpers.js';
import { ManifestWriter } from '../../src/execute/manifest-writer.js';
import { diskPath, walkTree } from '../../src/execute/tree-walk.js';

// Threads run what is compiled.
async function compiled<T>(file: string): Promise<T> {
  return (await import(new URL(`../../dist/src/${file}`, import.meta.url).href)) as T;
}
const { makeManifest: make } = await compiled<{ makeManifest: typeof makeManifest }>('execute/manifest.js');
const { ManifestHelpers: Helpers } = await compiled<{ ManifestHelpers: typeof ManifestHelpers }>(
  'execute/manifest-helpers.js',
);
const { BusyError: Failure } = await compiled<{ BusyError: typeof BusyError }>('core/errors.js');

const run = promisify(execFile);
const folders = 50;
const filesInFolder = 120;
/** Sorted differently as bytes, as text and as paths, and not all of them are UTF-8. */
const oddNames = ['\xff\xfe', 'Z', 'a b', 'a\nb', 'a%20b', 'a', 'a-b', 'a.b', '\xc3\xa4', '%', '\x01'];
let scratch: string;
let said: string[];
const progress = { entries: 0, bytes: 0 };

/** More than is done by one thread alone. */
function makeTree(root: string): void {
  mkdirSync(root, { recursive: true });
  for (let folder = 0; folder < folders; folder++) {
    const place = join(root, `folder ${folder}`);
    mkdirSync(place);
    for (let file = 0; file < filesInFolder; file++)
      writeFileSync(join(place, `file-${file}`), `${folder}.${file}`.repeat(file % 7));
    // One in each batch, and more in the last folders.
    linkSync(join(place, 'file-5'), join(root, `link-${folder}`));
    linkSync(join(root, 'folder 0', 'file-9'), join(place, 'shared'));
  }
  for (const name of oddNames) {
    const place = diskPath(bytesOf(root), `/odd-${name}`);
    mkdirSync(place);
    for (const below of oddNames) writeFileSync(diskPath(bytesOf(root), `/odd-${name}/${below}`), below);
  }
  symlinkSync('folder 1', join(root, 'to-a-folder'));
  writeFileSync(join(root, 'large'), 'x'.repeat(3_000_000));
}

function noteProgress(done: { entries: number; bytes: number }): void {
  progress.entries += done.entries;
  progress.bytes += done.bytes;
}

/** Without batches, bases and threads: entry after entry. */
async function plainText(root: BytePath): Promise<string> {
  const file = join(scratch, 'plain.gz');
  const writer = new ManifestWriter(file);
  for (const entry of walkTree(root)) {
    const isFile = entry.type === 'file';
    const hash = isFile ? sha256(readFileSync(diskPath(root, entry.path))) : '';
    const wait = writer.add({ ...entry, hash });
    if (wait) await wait;
  }
  await writer.end();
  const text = await textOf(file);
  await rm(file);
  return text;
}

async function textOf(file: string): Promise<string> {
  return gunzipSync(await readFile(file)).toString('latin1');
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function hooks(changes: Partial<DiskWorkHooks> = {}): DiskWorkHooks {
  return { check: () => {}, say: (text) => void said.push(text), onProgress: () => {}, ...changes };
}

describe('a manifest that several threads make', () => {
  let base: string;
  let next: string;
  let full: ManifestReport;
  const newFiles = 40;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'busy-threads-'));
    [base, next] = [join(scratch, 'base'), join(scratch, 'next')];
    makeTree(join(base, 'data'));
    // What is gone in the next one, between others: more than is read of a manifest at once.
    const gone = join(base, 'data', 'folder 25', 'gone');
    mkdirSync(gone);
    for (let file = 0; file < 2500; file++) writeFileSync(join(gone, `${file}`), '');
    full = await make({ directory: base, bases: [] }, hooks({ onProgress: noteProgress }));
    await mkdir(next);
    await run('cp', ['-al', join(base, 'data'), next]);
    await run('rm', ['-r', join(next, 'data', 'folder 25', 'gone')]);
    for (let file = 0; file < newFiles; file++)
      await writeFile(join(next, 'data', `folder ${file}`, 'file-7x'), `new ${file}`);
  });
  beforeEach(() => {
    said = [];
  });
  afterAll(() => run('rm', ['-rf', '--', scratch]));

  async function makeNext(bases: readonly string[]): Promise<{ report: ManifestReport; text: string }> {
    const report = await make({ directory: next, bases }, hooks());
    const text = await textOf(join(next, 'manifest.gz'));
    await rm(join(next, 'manifest.gz'));
    return { report, text };
  }

  it('is byte for byte that of one who goes from entry to entry', async () => {
    expect(await textOf(join(base, 'manifest.gz'))).toBe(await plainText(bytesOf(join(base, 'data'))));
    expect(said).toEqual([]);
  });

  it('reads a file with several names once, and tells of all names', () => {
    const names = folders * filesInFolder + 2 * folders + oddNames.length ** 2 + 2500 + 1;
    expect(full).toMatchObject({ files: names, hashedFiles: names - 2 * folders, unreadable: 0 });
    expect(progress).toEqual({ entries: full.entries, bytes: full.bytes });
  });

  it('is the same from a base, of which only what is new is read', async () => {
    const { report, text } = await makeNext([base]);
    expect(text).toBe(await plainText(bytesOf(join(next, 'data'))));
    expect(report).toMatchObject({ hashedFiles: newFiles, unreadable: 0 });
  });

  it('is the same when the base proves to be damaged at its end', async () => {
    const damaged = join(scratch, 'damaged');
    await run('cp', ['-al', base, damaged]);
    const whole = await readFile(join(base, 'manifest.gz'));
    await rm(join(damaged, 'manifest.gz'));
    await appendFile(join(damaged, 'manifest.gz'), whole.subarray(0, -9));
    // Inodes count where the top is the same.
    const top = join(scratch, 'top');
    await run('mv', [join(base, 'manifest.gz'), top]);
    await run('mv', [join(damaged, 'manifest.gz'), join(base, 'manifest.gz')]);
    try {
      const { report, text } = await makeNext([base]);
      expect(text).toBe(await plainText(bytesOf(join(next, 'data'))));
      expect(report.hashedFiles).toBe(folders * filesInFolder + oddNames.length ** 2 + newFiles + 1);
      expect(said.join()).toMatch(/base cannot be used, so its files are read again/);
    } finally {
      await run('mv', [top, join(base, 'manifest.gz')]);
    }
  });

  it('is given up when the work is cancelled in its middle, and nothing is left of it', async () => {
    let entries = 0;
    const cancelled = hooks({
      check: () => {
        if (entries > 5000) throw new Failure('CANCELLED');
      },
      onProgress: (done) => (entries += done.entries),
    });
    await expect(make({ directory: next, bases: [base] }, cancelled)).rejects.toThrow('cancelled');
    await expect(readFile(join(next, 'manifest.gz'))).rejects.toThrow('ENOENT');
  });

  it('is given up within a large file', async () => {
    const large = join(next, 'data', 'zz');
    await writeFile(large, '');
    await truncate(large, 2 ** 34);
    let bytes = 0;
    const cancelled = hooks({
      check: () => {
        if (bytes > 2 ** 26) throw new Failure('CANCELLED');
      },
      onProgress: (done) => (bytes += done.bytes),
    });
    try {
      await expect(make({ directory: next, bases: [base] }, cancelled)).rejects.toThrow('cancelled');
    } finally {
      await rm(large);
    }
    expect(bytes).toBeLessThan(2 ** 33);
  });

  it('fails when a thread is lost', async () => {
    const helpers = new Helpers({ root: bytesOf(join(next, 'data')), ahead: null }, hooks());
    helpers.start();
    try {
      const nonsense = { paths: ['/'], directories: null as never, errors: new Map(), known: [] };
      await expect(helpers.make(nonsense)).rejects.toThrow('null');
      await expect(helpers.make({ ...nonsense, directories: new Set([0]) })).rejects.toThrow('null');
    } finally {
      await helpers.close();
    }
  });
});
