import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { linkSync, writeFileSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { comparePaths } from '../../src/core/byte-path.js';
import { BusyError } from '../../src/core/errors.js';
import type { ManifestEntry } from '../../src/core/manifest.js';
import { makeManifest, type DiskWorkHooks, type ManifestReport } from '../../src/execute/manifest.js';
import { ManifestUnusable } from '../../src/execute/manifest-format.js';
import { ManifestCursor, readManifest } from '../../src/execute/manifest-reader.js';
import { ManifestWriter } from '../../src/execute/manifest-writer.js';
import { makeFidelityTree } from '../helpers/fidelity-tree.js';

const run = promisify(execFile);
let scratch: string;
let said: string[];

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'busy-manifest-'));
  said = [];
});
afterEach(() => run('rm', ['-rf', '--', scratch]));

function hooks(changes: Partial<DiskWorkHooks> = {}): DiskWorkHooks {
  return { check: () => {}, say: (text) => void said.push(text), onProgress: () => {}, ...changes };
}

async function newSnapshot(name: string): Promise<string> {
  const directory = join(scratch, name);
  await mkdir(join(directory, 'data'), { recursive: true });
  return directory;
}

/** As rsync does with --link-dest where nothing has changed. */
async function linkedCopy(from: string, name: string): Promise<string> {
  const directory = join(scratch, name);
  await mkdir(directory);
  await run('cp', ['-al', join(from, 'data'), directory]);
  return directory;
}

function make(directory: string, bases: readonly string[] = []): Promise<ManifestReport> {
  return makeManifest({ directory, bases }, hooks());
}

async function entriesOf(directory: string): Promise<ManifestEntry[]> {
  const all: ManifestEntry[] = [];
  for await (const piece of readManifest(directory)) all.push(...piece);
  return all;
}

function nameOf(number: number): string {
  return `/${String(number).padStart(6, '0')}`;
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

describe('a manifest', () => {
  it('has everything that is there, as find(1) and sha256sum(1) tell it', async () => {
    const snapshot = await newSnapshot('2026-11-22_20-00-05f');
    await makeFidelityTree(join(snapshot, 'data'));
    await rm(join(snapshot, 'data/sparse'), { recursive: true });
    const report = await make(snapshot);
    const entries = await entriesOf(snapshot);
    const options = { encoding: 'latin1', maxBuffer: 1e8 } as const;
    const { stdout } = await run(
      'find',
      [join(snapshot, 'data'), '-printf', '/%P\\t%y\\t%#m\\t%U:%G\\t%s\\t%T@\\t%i\\t%l\\0'],
      options,
    );
    const letters = new Map([
      ['file', 'f'],
      ['directory', 'd'],
      ['symlink', 'l'],
      ['fifo', 'p'],
      ['socket', 's'],
      ['character device', 'c'],
      ['block device', 'b'],
    ]);
    const told = stdout.split('\0').slice(0, -1).sort();
    const ours = entries.map((entry) => {
      const { path, type, mode, uid, gid, mtimeNs, inode, target } = entry;
      const isDevice = type.endsWith('device');
      const size = told.find((line) => line.startsWith(`${path}\t`))?.split('\t')[4] ?? '';
      const negative = mtimeNs.startsWith('-');
      const ns = BigInt(mtimeNs);
      const whole = negative && ns % 1_000_000_000n !== 0n ? ns / 1_000_000_000n - 1n : ns / 1_000_000_000n;
      const time = `${whole}.${String(ns - whole * 1_000_000_000n).padStart(9, '0')}0`;
      const shownMode = mode === 0 ? '0' : `0${mode.toString(8)}`;
      const shownSize = type === 'file' ? String(entry.size) : size;
      return [
        path,
        letters.get(type),
        shownMode,
        `${uid}:${gid}`,
        shownSize,
        time,
        inode,
        isDevice ? '' : target,
      ].join('\t');
    });
    expect(ours.sort()).toEqual(told);
    expect(entries.map(({ path }) => path)).toEqual(entries.map(({ path }) => path).sort(comparePaths));
    for (const entry of entries.filter(({ type }) => type === 'file')) {
      const content = await readFile(Buffer.from(join(snapshot, 'data') + entry.path, 'latin1'));
      expect(entry.hash, entry.path).toBe(sha256(content));
    }
    expect(report).toMatchObject({ entries: entries.length, unreadable: 0 });
    expect(said).toEqual([]);
  });

  it('can be read with zcat and grep', async () => {
    const snapshot = await newSnapshot('2026-11-22_20-00-05f');
    await writeFile(join(snapshot, 'data', 'a name'), 'hello');
    await symlink('a name', join(snapshot, 'data', 'link'));
    await make(snapshot);
    const { stdout } = await run('zcat', [join(snapshot, 'manifest.gz')]);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('busy-manifest 1');
    expect(lines[2]).toMatch(new RegExp(`^f 644 \\d+ \\d+ 5 \\d+ \\d+ ${sha256('hello')} /a%20name$`));
    expect(lines[3]).toMatch(/^l 777 \d+ \d+ 0 \d+ \d+ - \/link a%20name$/);
    expect(lines[4]).toBe(`end 3 1 5 0 ${sha256(`${lines.slice(0, 4).join('\n')}\n`)}`);
    expect(lines.slice(5)).toEqual(['']);
  });

  it('reads a file with several names once', async () => {
    const snapshot = await newSnapshot('2026-11-22_20-00-05f');
    writeFileSync(join(snapshot, 'data/first'), 'x'.repeat(1000));
    linkSync(join(snapshot, 'data/first'), join(snapshot, 'data/second'));
    expect(await make(snapshot)).toMatchObject({ files: 2, bytes: 2000, hashedFiles: 1, hashedBytes: 1000 });
    expect((await entriesOf(snapshot)).slice(1).map(({ hash }) => hash)).toEqual(
      Array(2).fill(sha256('x'.repeat(1000))),
    );
  });

  it('is not made when the work is cancelled, and nothing is left of it', async () => {
    const snapshot = await newSnapshot('2026-11-22_20-00-05f');
    for (let number = 0; number < 50; number++) await writeFile(join(snapshot, 'data', `${number}`), 'x');
    let calls = 0;
    const check = (): void => {
      if (++calls === 40) throw new BusyError('CANCELLED');
    };
    await expect(makeManifest({ directory: snapshot, bases: [] }, hooks({ check }))).rejects.toThrow(
      'cancelled',
    );
    await expect(readFile(join(snapshot, 'manifest.gz'))).rejects.toThrow('ENOENT');
  });

  it('that cannot be written is told as the file system tells it', async () => {
    const snapshot = await newSnapshot('2026-11-22_20-00-05f');
    const writer = new ManifestWriter(join(snapshot, 'nowhere', 'manifest.gz'));
    await expect(writer.end()).rejects.toThrow('ENOENT');
  });
});

describe('the manifest of an incremental snapshot', () => {
  it('takes over the hash of what is the same file, and reads what is new', async () => {
    const base = await newSnapshot('2026-11-22_20-00-05f');
    for (const name of ['changed', 'gone', 'same', 'touched'])
      await writeFile(join(base, 'data', name), name);
    await make(base);
    const next = await linkedCopy(base, '2026-11-23_20-00-05i');
    await rm(join(next, 'data/gone'));
    await rm(join(next, 'data/changed'));
    await writeFile(join(next, 'data/changed'), 'CHANGED');
    await writeFile(join(next, 'data/new'), 'new');
    const copy = join(next, 'data/touched');
    await rm(copy);
    await cp(join(base, 'data/touched'), copy, { preserveTimestamps: true });
    expect(await make(next, [base])).toMatchObject({ files: 4, hashedFiles: 3 });
    const hashes = new Map((await entriesOf(next)).map(({ path, hash }) => [path, hash]));
    expect(hashes.get('/same')).toBe(sha256('same'));
    expect(hashes.get('/changed')).toBe(sha256('CHANGED'));
    expect(hashes.get('/new')).toBe(sha256('new'));
  });

  it('keeps the old hash also when the disk has changed the file since, so that it will be found', async () => {
    const base = await newSnapshot('2026-11-22_20-00-05f');
    await writeFile(join(base, 'data/file'), 'as it was');
    const time = new Date(1_700_000_000_000);
    await utimes(join(base, 'data/file'), time, time);
    await make(base);
    await writeFile(join(base, 'data/file'), 'as it is!');
    await utimes(join(base, 'data/file'), time, time);
    const next = await linkedCopy(base, '2026-11-23_20-00-05i');
    await make(next, [base]);
    expect((await entriesOf(next))[1]?.hash).toBe(sha256('as it was'));
  });

  it('finds what is linked into the second base', async () => {
    const [full, newest] = [
      await newSnapshot('2026-11-20_20-00-05f'),
      await newSnapshot('2026-11-22_20-00-05i'),
    ];
    await writeFile(join(full, 'data/file'), 'content');
    await writeFile(join(newest, 'data/file'), 'another');
    await make(full);
    await make(newest);
    const next = await linkedCopy(full, '2026-11-23_20-00-05i');
    expect(await make(next, [newest, full])).toMatchObject({ hashedFiles: 0 });
  });

  it('trusts no inode of a store that was copied to another place', async () => {
    const base = await newSnapshot('2026-11-22_20-00-05f');
    await writeFile(join(base, 'data/file'), 'content');
    await make(base);
    const moved = join(scratch, 'moved');
    await run('cp', ['-a', base, moved]);
    const next = await linkedCopy(moved, '2026-11-23_20-00-05i');
    expect(await make(next, [moved])).toMatchObject({ hashedFiles: 1 });
  });

  it('has no use for a base without a manifest', async () => {
    const base = await newSnapshot('2026-11-22_20-00-05f');
    await writeFile(join(base, 'data/file'), 'content');
    const next = await linkedCopy(base, '2026-11-23_20-00-05i');
    expect(await make(next, [base])).toMatchObject({ hashedFiles: 1 });
    expect(said).toEqual([]);
  });

  it.each([
    ['cut off', (whole: Buffer): Buffer => whole.subarray(0, whole.length - 20)],
    [
      'damaged',
      (whole: Buffer): Buffer =>
        Buffer.from(whole.map((byte, at) => (at === whole.length - 6 ? byte ^ 1 : byte))),
    ],
    [
      'without its last line',
      (whole: Buffer): Buffer =>
        gzipSync(
          gunzipSync(whole)
            .toString()
            .replace(/end .*\n/, ''),
        ),
    ],
    [
      'with a changed line',
      (whole: Buffer): Buffer => gzipSync(gunzipSync(whole).toString().replace(/ 644 /, ' 600 ')),
    ],
    ['no gzip at all', (): Buffer => Buffer.from('nonsense')],
  ])('believes nothing of a manifest that is %s', async (_, harm) => {
    const base = await newSnapshot('2026-11-22_20-00-05f');
    for (let number = 0; number < 20; number++) await writeFile(join(base, 'data', `${number}`), `${number}`);
    await make(base);
    const file = join(base, 'manifest.gz');
    await writeFile(file, harm(await readFile(file)));
    await expect(entriesOf(base)).rejects.toThrow();
    const next = await linkedCopy(base, '2026-11-23_20-00-05i');
    expect(await make(next, [base])).toMatchObject({ files: 20, hashedFiles: 20 });
    expect(said.join()).toMatch(
      /the manifest of .*2026-11-22_20-00-05f cannot be used, so its files are read again/,
    );
    expect(await entriesOf(next)).toHaveLength(21);
  });
});

describe('a manifest of many pieces', () => {
  it('is read in step, whatever is asked for', async () => {
    const snapshot = await newSnapshot('2026-11-22_20-00-05f');
    const writer = new ManifestWriter(join(snapshot, 'manifest.gz'));
    const entry: ManifestEntry = {
      path: '/',
      type: 'directory',
      mode: 0o755,
      uid: 0,
      gid: 0,
      size: 0,
      mtimeNs: '0',
      inode: '1',
      target: '',
      error: '',
      hash: '',
    };
    const count = 30_000;
    for (let number = 0; number < count; number++) {
      const wait = writer.add({ ...entry, type: 'file', path: nameOf(number), hash: sha256(`${number}`) });
      if (wait) await wait;
    }
    expect(await writer.end()).toMatchObject({ entries: count, files: count });
    const cursor = new ManifestCursor(snapshot);
    expect(await cursor.seek('/')).toBeNull();
    for (let number = 0; number < count; number += 7) {
      expect((await cursor.seek(nameOf(number)))?.hash).toBe(sha256(`${number}`));
      expect(await cursor.seek(`${nameOf(number)}x`)).toBeNull();
    }
    await cursor.finish();
    expect(await cursor.seek('/999999')).toBeNull();
    await cursor.close();
    await appendFile(join(snapshot, 'manifest.gz'), gzipSync('more\n'));
    await expect(entriesOf(snapshot)).rejects.toThrow(ManifestUnusable);
  });
});
