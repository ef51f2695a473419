import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adoptSnapshot, directoryOfSource } from '../../src/execute/original-store.js';
import { indexStore } from '../../src/execute/store-index.js';
import { sampleHost } from '../helpers/sample-host.js';

const name = '2011-03-27_02-30-00f';
let backupdir: string;
let snapshot: string;

beforeEach(async () => {
  backupdir = await mkdtemp(join(tmpdir(), 'busy-original-'));
  snapshot = join(backupdir, 'web1', name);
});
afterEach(() => rm(backupdir, { recursive: true }));

async function make(directories: readonly string[], log: string | null = null): Promise<void> {
  for (const directory of directories) await mkdir(join(snapshot, directory), { recursive: true });
  if (log !== null) await writeFile(join(snapshot, 'backup.log'), log);
}

describe('the directory of a source directory', () => {
  it.each([
    ['_etc_ssh', '/etc/ssh'],
    ['-etc-ssh', '/etc/ssh'],
    ['BetcBssh', '/etc/ssh'],
    ['_home_some_body', '/home/some_body'],
    ['data/etc/ssh', '/etc/ssh'],
    ['etc/ssh', '/etc/ssh'],
    ['data', '/'],
    ['_', '/'],
  ])('is %s for %s', async (directory, source) => {
    await make([directory]);
    expect(await directoryOfSource(snapshot, source)).toBe(join(snapshot, directory));
  });

  it.each([
    ['data/home', '/etc'],
    ['_home', '/etc'],
    ['_etc_ssh', '/etc'],
    ['_etc', '/etc/ssh'],
  ])('is none of %s for %s', async (directory, source) => {
    await make([directory]);
    expect(await directoryOfSource(snapshot, source)).toBeNull();
  });
});

describe('a snapshot of the original', () => {
  const facts = { host: 'web1', name, srcdirs: ['/home/some_body'] };

  it('is told by its name, its log and its directories', async () => {
    await make(
      ['_etc_ssh', '_home_some_body'],
      '03/27/11 02:30:00: Backup started for Host: web1\n03/27/11 02:41:00: Backup finished, 0 failures\n',
    );
    const endedAt = new Date(2011, 2, 27, 4, 41);
    await utimes(join(snapshot, 'backup.log'), endedAt, endedAt);
    expect(await adoptSnapshot(snapshot, facts)).toMatchObject({
      host: 'web1',
      name,
      type: 'full',
      outcome: 'SUCCEEDED',
      path: snapshot,
      committedAt: endedAt,
      sources: ['/etc/ssh', '/home/some_body'],
      manifest: null,
    });
  });

  it.each([
    ['03/27/11 02:41:00: Backup finished, 1 failures\n'],
    ['03/27/11 02:30:00: Backup started'],
    [null],
  ])('may lack something with the log %j', async (log) => {
    await make(['_etc'], log);
    expect(await adoptSnapshot(snapshot, facts)).toMatchObject({ outcome: 'PARTIAL' });
  });

  it('is not adopted without any directory', async () => {
    await make([], null);
    await mkdir(snapshot, { recursive: true });
    expect(await adoptSnapshot(snapshot, facts)).toBeNull();
  });
});

describe('the index of a store', () => {
  it('names what it adopts and what it leaves out, and takes nothing for empty that is not there', async () => {
    const host = sampleHost({ backupdir });
    expect(await indexStore(host)).toBeNull();
    await make(['_etc']);
    await mkdir(join(backupdir, 'web1/2012-01-01_00-00-00i'));
    await mkdir(join(backupdir, 'web1/.partial-2012-01-02_00-00-00i'));
    await mkdir(join(backupdir, 'web1/lost+found'));
    expect(await indexStore(host)).toMatchObject({
      snapshots: [{ name }],
      adopted: [name],
      ignored: ['2012-01-01_00-00-00i'],
    });
  });
});
