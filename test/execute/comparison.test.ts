import { execFile } from 'node:child_process';
import { linkSync, renameSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import { partCount } from '../../src/core/scrub.js';
import { compareSnapshots, type ComparisonReport } from '../../src/execute/comparison.js';
import { damagedPlaces, recordFindings } from '../../src/execute/damage.js';
import { makeManifest, type DiskWorkHooks } from '../../src/execute/manifest.js';
import { readPartTimes, readVerification } from '../../src/execute/snapshot-verification.js';
import { inodeOf } from '../helpers/tree-listing.js';

const run = promisify(execFile);
const first = '2026-11-22_20-00-05f';
const second = '2026-11-23_20-00-05i';
let store: string;
let said: string[];

beforeEach(async () => {
  store = await mkdtemp(join(tmpdir(), 'busy-comparison-'));
  said = [];
});
afterEach(() => run('rm', ['-rf', '--', store]));

function hooks(changes: Partial<DiskWorkHooks> = {}): DiskWorkHooks {
  return { check: () => {}, say: (text) => void said.push(text), onProgress: () => {}, ...changes };
}

async function makeSnapshot(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const directory = join(store, name);
  await mkdir(join(directory, 'data/below'), { recursive: true });
  for (const [path, content] of Object.entries(files))
    await writeFile(join(directory, 'data', path), content);
  await makeManifest({ directory, bases: [] }, hooks());
  return directory;
}

async function makeLinked(from: string, name: string): Promise<string> {
  const directory = join(store, name);
  await mkdir(directory);
  await run('cp', ['-al', join(from, 'data'), directory]);
  await makeManifest({ directory, bases: [from] }, hooks());
  return directory;
}

function compare(
  names: readonly string[],
  parts: readonly number[] | null = null,
  changes: Partial<DiskWorkHooks> = {},
): Promise<ComparisonReport> {
  const snapshots = names.map((name) => ({ name, directory: join(store, name), mustHaveManifest: true }));
  return compareSnapshots({ snapshots, parts }, hooks(changes));
}

function cancelAtB({ current }: { readonly current: string }): void {
  if (current === '/b') throw new BusyError('CANCELLED');
}

function kindsOf({ differences }: ComparisonReport): string[] {
  return differences.map(({ kind, path }) => `${kind} ${path}`);
}

describe('a comparison', () => {
  it('reads what several names and snapshots share once', async () => {
    const one = await makeSnapshot(first, { a: 'aaaa', b: 'bb', 'below/c': 'c' });
    linkSync(join(one, 'data/a'), join(one, 'data/below/a too'));
    await rm(join(one, 'manifest.gz'));
    await makeManifest({ directory: one, bases: [] }, hooks());
    await makeLinked(one, second);
    expect(await compare([first, second])).toMatchObject({
      entries: 12,
      filesRead: 3,
      bytesRead: 7,
      differenceCount: 0,
    });
    expect(said).toEqual([]);
  });

  it('tells damage of a shared file in each snapshot', async () => {
    const one = await makeSnapshot(first, { a: 'aaaa' });
    await makeLinked(one, second);
    await run('sh', ['-c', `cp -p a keep; printf bbbb > a; touch -r keep a; rm keep; touch -d @0 .`], {
      cwd: join(one, 'data'),
    });
    const report = await compare([first, second]);
    expect(report.snapshots.map(({ name, damagedCount }) => [name, damagedCount])).toEqual([
      [first, 1],
      [second, 1],
    ]);
    expect(said.filter((line) => line.includes('content: /a: its hash was'))).toHaveLength(2);
  });

  it('of all parts together finds what one of the whole finds, but for what is new', async () => {
    const one = await makeSnapshot(
      first,
      Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`f${at}`, `${at}`])),
    );
    for (const name of ['f3', 'f17', 'f29']) await writeFile(join(one, 'data', name), 'changed');
    await rm(join(one, 'data/f5'));
    await rm(join(one, 'data/below'), { recursive: true });
    await writeFile(join(one, 'data/new'), 'new');
    const whole = kindsOf(await compare([first]));
    const found: string[] = [];
    let read = 0;
    for (let part = 0; part < partCount; part++) {
      const report = await compare([first], [part]);
      found.push(...kindsOf(report));
      read += report.filesRead;
    }
    expect(found.sort()).toEqual(whole.filter((line) => line !== 'extra /new').sort());
    expect(whole).toContain('missing /below');
    expect(read).toBe(36);
  });

  it('says nothing of a snapshot that is removed meanwhile', async () => {
    const one = await makeSnapshot(first, { a: 'a', b: 'b', 'below/c': 'c' });
    await makeSnapshot(second, { a: 'a' });
    let looks = 0;
    const check = (): void => {
      if (++looks === 3) renameSync(one, join(store, `.removed-${first}`));
    };
    const report = await compare([first, second], null, { check });
    expect(report.snapshots.map(({ state }) => state)).toEqual(['gone', 'compared']);
    expect(report.differenceCount).toBe(0);
  });

  it('keeps what it has found when it is cancelled', async () => {
    const one = await makeSnapshot(first, { a: 'a', b: 'b', 'below/c': 'c' });
    await writeFile(join(one, 'data/a'), 'longer');
    const report = await compare([first, second], null, { onProgress: cancelAtB });
    expect(report.snapshots).toMatchObject([{ name: first, state: 'cancelled', damagedCount: 1 }]);
    expect(kindsOf(report)).toContain('size /a');
  });

  it('of a tree without its top says that all is missing', async () => {
    const one = await makeSnapshot(first, { a: 'a' });
    await rm(join(one, 'data'), { recursive: true });
    expect(kindsOf(await compare([first]))).toEqual(['missing /', 'missing /a', 'missing /below']);
  });

  it('takes a file that could not be read then for nothing', async () => {
    const directory = join(store, first);
    await mkdir(join(directory, 'data'), { recursive: true });
    await writeFile(join(directory, 'data/a'), 'a');
    await writeFile(join(directory, 'data/b'), 'b');
    let isGone = false;
    const check = (): void => {
      // After it was listed, before it is opened.
      if (isGone) return;
      isGone = true;
      renameSync(join(directory, 'data/a'), join(directory, 'data-a'));
    };
    const late: DiskWorkHooks = hooks({
      check: () => {},
      onProgress: ({ current }) => current === '/' && check(),
    });
    await makeManifest({ directory, bases: [] }, late);
    renameSync(join(directory, 'data-a'), join(directory, 'data/a'));
    const report = await compare([first]);
    expect(report.snapshots).toMatchObject([{ state: 'compared', damagedCount: 0 }]);
  });
});

describe('what is known of damage', () => {
  const verifiedAt = new Date('2026-11-24T03:00:00Z');

  async function note(report: ComparisonReport, parts: readonly number[] | null = null): Promise<void> {
    await recordFindings({ store, compared: report.snapshots, parts, verifiedAt });
  }

  it('is written beside each snapshot, also those that share the file, and is gone when it is mended', async () => {
    const one = await makeSnapshot(first, { a: 'aaaa', '\u00e4': 'x' });
    const two = await makeLinked(one, second);
    await writeFile(join(one, 'data/a'), 'longer');
    await note(await compare([first]));
    expect(await readVerification(one)).toMatchObject({
      verifiedAt,
      damagedFileCount: 1,
      damaged: [{ path: '/a', kind: 'size', inode: String(await inodeOf(join(one, 'data/a'))) }],
    });
    expect(await readVerification(two)).toMatchObject({ verifiedAt: null, damagedFileCount: 1 });
    const inode = String(await inodeOf(join(one, 'data/a')));
    expect(await damagedPlaces(store)).toEqual([
      { snapshot: one, path: '/a', inode },
      { snapshot: two, path: '/a', inode },
    ]);
    await rm(join(one, 'data/a'));
    await rm(join(two, 'data/a'));
    await chmod(join(one, 'data/below'), 0o700);
    const [scrubbed] = (await compare([first, second], [0, 1])).snapshots;
    expect(scrubbed?.damagedCount).toBe(0);
    await note(await compare([first, second], [0, 1]), [0, 1]);
    expect((await readVerification(two)).damagedFileCount).toBe(1);
  });

  it('is written before its part counts as read, so that after a crash it is found again', async () => {
    const one = await makeSnapshot(first, { a: 'a' });
    const parts = Array.from({ length: 256 }, (_, part) => part);
    await writeFile(join(one, 'data/a'), 'longer');
    const inTheWay = join(one, 'verification.json.new');
    await mkdir(inTheWay);
    await expect(note(await compare([first], parts), parts)).rejects.toThrow('EISDIR');
    expect(await readPartTimes(store)).toEqual(new Map());
    await rmdir(inTheWay);
    await note(await compare([first], parts), parts);
    expect((await readPartTimes(store)).size).toBe(256);
    expect((await readVerification(one)).damagedFileCount).toBe(1);
  });

  it('is written also when another snapshot of the comparison was removed meanwhile', async () => {
    const one = await makeSnapshot(first, { a: 'a' });
    const two = await makeLinked(one, second);
    await writeFile(join(one, 'data/a'), 'longer');
    const report = await compare([first, second]);
    renameSync(one, join(store, `.removed-${first}`));
    await note(report);
    expect((await readVerification(two)).damagedFileCount).toBe(1);
  });

  it('of a cancelled comparison is added to what was known', async () => {
    const one = await makeSnapshot(first, { a: 'a', b: 'b' });
    await writeFile(join(one, 'data/b'), 'longer');
    await note(await compare([first]));
    await writeFile(join(one, 'data/a'), 'longer');
    let looks = 0;
    const check = (): void => {
      if (++looks > 2) throw new BusyError('CANCELLED');
    };
    await note(await compare([first], null, { check }));
    const { damaged, verifiedAt: at } = await readVerification(one);
    expect(damaged.map(({ path }) => path).sort()).toEqual(['/a', '/b']);
    expect(at).toEqual(verifiedAt);
  });
});
