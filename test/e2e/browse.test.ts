/** Looking into snapshots and archives through a real daemon: what is there, where it changed, and what is refused. */
import { copyFile, mkdir, readdir, readlink, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArchiveRecord } from '../../src/core/archive.js';
import type { Browse } from '../../src/core/browse.js';
import { archiveFiles, writeArchiveJson } from '../../src/execute/archive-files.js';
import { readSnapshotJson } from '../../src/execute/snapshot-json.js';
import { BackupType, type Run } from '../../src/gen/busy/v1/run.js';
import { expectBackup } from '../helpers/stock.js';
import { TestBed } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

let bed: TestBed;
let full: Run;
let next: Run;
const archivedName = '2026-01-02_03-04-05f';
const source = (): string => join(bed.directory, 'source');
const archivedir = (): string => join(bed.directory, 'archives');
const then = new Date('2026-02-03T04:05:06Z');

beforeAll(async () => {
  bed = await TestBed.create();
  const sshd = await bed.startSshd();
  await writeFile(join(bed.directory, 'secret'), 'secret');
  await writeFiles(source(), { same: 'same', edited: 'before', gone: 'gone', 'deep/file.conf': 'deep' });
  await writeFile(Buffer.from(`${source()}/caf\xe9`, 'latin1'), 'odd');
  await symlink(bed.directory, join(source(), 'out'));
  await bed.configure([bed.hostAt(sshd, { name: 'web1', srcdirs: [source()], archivedir: archivedir() })]);
  await bed.startDaemon();
  full = await expectBackup(bed, 'web1', source(), BackupType.FULL);
  await writeFile(join(source(), 'edited'), 'after it was edited');
  await utimes(join(source(), 'same'), then, then);
  await rm(join(source(), 'gone'));
  await writeFiles(source(), { 'new/file': 'new' });
  next = await expectBackup(bed, 'web1', source());
  await archive(full);
});
afterAll(() => bed.end());

/** As if a snapshot of long ago, with the same files, had been archived. */
async function archive({ snapshot: name }: Run): Promise<void> {
  const directory = join(bed.backupdir, 'web1', name);
  const snapshot = await readSnapshotJson(directory);
  if (!snapshot) throw new Error('the snapshot tells nothing of itself');
  await mkdir(archivedir());
  const files = archiveFiles(archivedir(), { host: 'web1', snapshot: archivedName }, 'tar.gz');
  const startedAt = new Date(2026, 0, 2, 3, 4, 5);
  const record: ArchiveRecord = {
    host: 'web1',
    name: archivedName,
    format: 'tar.gz',
    path: files.tarball,
    bytes: 1,
    sha256: '',
    archivedAt: startedAt,
    runId: 'run',
    snapshot: { ...snapshot, name: archivedName, startedAt },
    manifestRoot: 'data',
    manifest: snapshot.manifest,
    verifiedAt: null,
    damage: '',
    copyPath: '',
  };
  await copyFile(join(directory, 'manifest.gz'), files.manifest);
  await writeArchiveJson(files.json, record);
  await writeFile(files.tarball, '-');
}

async function text(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await bed.busy(args);
  if (code !== 0) throw new Error(`busy ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

async function refusal(...args: string[]): Promise<string> {
  const { code, stderr } = await bed.busy(args);
  expect(code).not.toBe(0);
  return stderr;
}

const lastWords = (output: string): string[] =>
  output
    .trim()
    .split('\n')
    .map((line) => line.split('  ').at(-1) ?? '');

describe('busy ls', () => {
  const inFull = ['caf\\#351', 'deep', 'edited', 'gone', 'out -> ', 'same'];

  it('lists the newest snapshot, a named one, and one as of a time', async () => {
    expect(lastWords(await text('ls', 'web1', source()))).toEqual([
      'caf\\#351',
      'deep',
      'edited',
      'new',
      `out -> ${bed.directory}`,
      'same',
    ]);
    const named = inFull.map((name) => (name === 'out -> ' ? name + bed.directory : name));
    expect(lastWords(await text('ls', `web1/${full.snapshot}`, source()))).toEqual(named);
    expect(lastWords(await text('ls', 'web1', source(), '--as-of', '2026-02-01'))).toEqual(named);
    expect(await text('ls', `web1/${full.snapshot}`, `${source()}/caf\\#351`)).toMatch(/^-rw.* {2}3 B {2}/);
    const { files, isArchived } = JSON.parse(
      await text('ls', `web1/${archivedName}`, source(), '--json'),
    ) as { files: { path: string; hash: string; rawPath?: string }[]; isArchived: boolean };
    expect(isArchived).toBe(true);
    expect(files).toHaveLength(named.length);
    expect(files[0]).toMatchObject({ path: `${source()}/caf\\#351`, rawPath: expect.any(String) as string });
  });

  it.each([
    ['/../snapshot.json', 'PATH_REFUSED'],
    ['SOURCE/../../../snapshot.json', 'PATH_REFUSED'],
    ['SOURCE/out/secret', 'PATH_REFUSED'],
    ['SOURCE/out', ''],
    ['/snapshot.json', 'PATH_NOT_FOUND'],
    ['etc', 'PATH_REFUSED'],
  ])('does not leave the snapshot through %s', async (path, reason) => {
    const args = ['ls', `web1/${full.snapshot}`, path.replace('SOURCE', source())];
    if (reason === '') expect(await text(...args)).toMatch(/^lrwx/);
    else expect(await refusal(...args)).toContain(reason);
  });

  it('says when there is no such snapshot', async () => {
    expect(await refusal('ls', 'web1', '--as-of', '2020-01-01')).toContain('NO_SNAPSHOT');
    expect(await refusal('ls', 'web1/2020-01-01_00-00-00f')).toContain('SNAPSHOT_NOT_FOUND');
  });
});

describe('busy find, history and diff', () => {
  it('finds files in all snapshots and archives, the newest first', async () => {
    const lines = (await text('find', 'web1', '*.conf')).trim().split('\n');
    expect(lines.map((line) => line.split('  ')[0])).toEqual([next.snapshot, full.snapshot, archivedName]);
    expect(await text('find', `web1/${next.snapshot}`, 'gone')).toBe('');
    expect(await text('find', 'web1', `${source()}/*`, '--type', 'symlink')).toContain('out -> ');
  });

  it('tells where a path changed', async () => {
    const history = await text('history', 'web1', `${source()}/edited`);
    expect(history).toMatch(
      new RegExp(
        `^${archivedName} \\(archive\\) .*first seen\\n${next.snapshot} .*changed: content, mtime\\n`,
      ),
    );
    expect(await text('history', 'web1', `${source()}/gone`)).toContain(`${next.snapshot}  gone`);
  });

  it('compares the newest two, any two, and one directory of them', async () => {
    const output = await text('diff', 'web1');
    const at = source();
    expect(output.split('\n').slice(0, -2)).toEqual([
      `M ${at}/edited  (content, mtime; 6 B -> 19 B)`,
      `- ${at}/gone  (4 B)`,
      `+ ${at}/new`,
      `+ ${at}/new/file  (3 B)`,
      `m ${at}/same  (mtime)`,
    ]);
    expect(output).toMatch(/: 2 added \(3 B\), 1 removed \(4 B\), 1 changed \(6 B -> 19 B\), 1 only in /);
    expect(await text('diff', `web1/${archivedName}`, `web1/${full.snapshot}`)).toContain('0 added');
    expect(await text('diff', 'web1', `${at}/new`)).toContain('2 added (3 B), 0 removed');
    const last = (await text('diff', 'web1', '--json')).trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({ summary: { added: 2, removed: 1, metadata: 1 } });
  });
});

describe('the thread that looks', () => {
  it('lets go of all when its reader leaves, and when it is told to', async () => {
    const { browse } = (await import(
      new URL('../../dist/src/execute/browse-thread.js', import.meta.url).href
    )) as { browse: Browse };
    const fifo = join(bed.directory, 'manifest.gz');
    await rename(join(bed.backupdir, 'web1', full.snapshot, 'manifest.gz'), fifo);
    const found = {
      host: 'web1',
      snapshot: full.snapshot,
      directory: join(bed.backupdir, 'web1', full.snapshot),
      manifest: fifo,
    };
    const task = { sources: [found], pattern: '*', types: [] };
    const isOpen = async (): Promise<boolean> => {
      const links = await Promise.all(
        (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
      );
      return links.includes(fifo);
    };
    for await (const batch of browse('find', task, new AbortController().signal)) {
      expect(batch.length).toBeGreaterThan(0);
      break;
    }
    expect(await isOpen()).toBe(false);
    const stop = new AbortController();
    const steps = browse('find', task, stop.signal);
    await steps.next();
    stop.abort();
    await expect(steps.next()).rejects.toThrow();
    expect(await isOpen()).toBe(false);
  });
});
