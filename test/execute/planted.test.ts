/** What an rsync that was broken into could leave where the daemon writes next. */
import { link, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Host } from '../../src/core/host.js';
import { openBackupRoom } from '../../src/execute/backup-room.js';
import { guardHostDirectory, type Look } from '../../src/execute/host-directory-guard.js';
import { noteUse } from '../../src/execute/host-quota.js';
import { JobLog } from '../../src/execute/job-log.js';
import { directoryOfSource } from '../../src/execute/original-store.js';
import { copyRunLog } from '../../src/execute/run-log-file.js';
import { commitPartial, createPartial, flushPartial, makeBelow } from '../../src/execute/snapshot-dir.js';
import { writeReleased, writeSnapshotJson, type SnapshotFacts } from '../../src/execute/snapshot-json.js';
import { writePartTimes, writeVerification } from '../../src/execute/snapshot-verification.js';

const never = new AbortController().signal;
const mark = { runId: 'run1', type: 'full', bootId: 'boot1', isFlushed: false } as const;
const name = '2026-11-26_01-00-00f';

let backupdir: string;
let directory: string;
let outside: string;
let partial: string;

beforeEach(async () => {
  backupdir = await mkdtemp(join(tmpdir(), 'busy-planted-'));
  directory = join(backupdir, 'web1');
  outside = join(backupdir, 'outside');
  for (const path of [directory, outside, join(directory, '2026-11-25_01-00-00f/data')])
    await mkdir(path, { recursive: true });
  await writeFile(join(outside, 'file'), 'of another');
  partial = await createPartial({ directory, snapshots: [], partials: [], trashed: [] }, name, mark);
});
afterEach(() => rm(backupdir, { recursive: true }));

const facts = {
  snapshot: { host: 'web1', name, heldFor: [{ kind: 'EMPTY', source: '/', message: 'm' }] },
  jobs: [],
  missingFiles: [],
} as unknown as SnapshotFacts;

describe('the files of the daemon', () => {
  it('are written in place of links, not through them', async () => {
    const log = join(backupdir, 'log');
    await writeFile(log, 'the log');
    const writes: readonly (readonly [file: string, write: () => Promise<unknown>])[] = [
      [join(partial, '.partial.json'), () => flushPartial(partial, mark, never)],
      [join(partial, 'backup.log'), () => copyRunLog(log, join(partial, 'backup.log'))],
      [join(partial, 'snapshot.json'), () => writeSnapshotJson(partial, facts)],
      [join(partial, 'snapshot.json.new'), () => writeReleased(partial, new Date())],
      [join(directory, '.space.json.new'), () => noteUse(directory, 1)],
      [
        join(partial, 'verification.json.new'),
        () => writeVerification(partial, { verifiedAt: null, damaged: [], damagedFileCount: 0 }),
      ],
      [join(directory, '.verified.json.new'), () => writePartTimes(directory, new Map())],
    ];
    const plants: readonly ((file: string) => Promise<void>)[] = [
      (file) => symlink(join(outside, 'file'), file),
      (file) => symlink(join(outside, 'new'), file),
      (file) => link(join(outside, 'file'), file),
    ];
    for (const [file, write] of writes) {
      for (const plant of plants) {
        await rm(file, { force: true });
        if (!file.endsWith('snapshot.json.new')) await rm(join(partial, 'backup.log'), { force: true });
        else await writeSnapshotJson(partial, facts);
        await plant(file);
        await write();
        expect(await readdir(outside), file).toEqual(['file']);
        expect(await readFile(join(outside, 'file'), 'utf8'), file).toBe('of another');
      }
    }
    await commitPartial(partial, name, never);
    expect(await readFile(join(outside, 'file'), 'utf8')).toBe('of another');
  });

  it('of a job are not opened through a link', async () => {
    await symlink(join(outside, 'file'), join(partial, 'job-1.log'));
    const log = new JobLog(join(partial, 'job-1.log'));
    log.add('a line');
    void log.flush();
    await log.end();
    expect(await readFile(join(outside, 'file'), 'utf8')).toBe('of another');
  });
});

describe('the place of a source directory', () => {
  it.each(['srv', 'srv/deep'])('is not made through a link (%s)', async (planted) => {
    await mkdir(join(partial, 'data', planted, '..'), { recursive: true });
    await symlink(outside, join(partial, 'data', planted));
    await expect(makeBelow(join(partial, 'data'), '/srv/deep', 'web1')).rejects.toMatchObject({
      reason: 'HOST_MISBEHAVED',
      facts: { host: 'web1', detail: expect.stringContaining(`it sent /${planted} as a symlink`) as string },
    });
    expect(await readdir(outside)).toEqual(['file']);
    // And the next backup does not link to what lies there.
    expect(await directoryOfSource(partial, '/srv/deep')).toBeNull();
  });
});

describe('the room of a backup', () => {
  const host = { rsyncOpts: [], rsyncMemoryBytes: 0 } as unknown as Host;

  it('without link bases is the data of the partial snapshot alone', async () => {
    const { room } = await openBackupRoom(host, directory, partial, { paths: [] });
    expect(room).toMatchObject({ writable: join(partial, 'data'), readOnly: [] });
  });

  it('with them is the directory of the host, but of each base only its data can be written', async () => {
    const base = join(directory, '2026-11-25_01-00-00f');
    await writeFile(join(base, 'snapshot.json'), '{}');
    const { room } = await openBackupRoom(host, directory, partial, { paths: [base] });
    expect(room.writable).toBe(directory);
    expect([...room.readOnly].sort()).toEqual(
      [join(partial, 'partial.json'), join(base, 'snapshot.json')].sort(),
    );
  });
});

describe('after the rsyncs of a backup', () => {
  let look: Look;
  beforeEach(async () => {
    look = await guardHostDirectory('web1', partial);
  });

  it('what the daemon itself does beside them is no matter', async () => {
    await mkdir(join(directory, '.restore-01'));
    await writeFile(join(directory, '.verified.json'), '{}');
    await rename(
      join(directory, '2026-11-25_01-00-00f'),
      join(directory, '.trash-01KB5YA2M6F7Q4X9S3R8T1V0WZ-2026-11-25_01-00-00f'),
    );
    await look();
  });

  it.each([
    ['a snapshot', '2099-01-01_00-00-00f', '.refused-2099-01-01_00-00-00f'],
    ['a partial one', '.partial-2099-01-01_00-00-00f', '.refused-.partial-2099-01-01_00-00-00f'],
  ])('%s that has appeared fails the run, and is taken for none', async (_, planted, aside) => {
    await mkdir(join(directory, planted));
    await expect(look()).rejects.toMatchObject({ reason: 'HOST_MISBEHAVED', facts: { host: 'web1' } });
    expect(await readdir(directory)).toContain(aside);
    expect(await readdir(directory)).not.toContain(planted);
  });

  it('another directory under the name of a snapshot fails the run', async () => {
    const snapshot = join(directory, '2026-11-25_01-00-00f');
    await rename(snapshot, join(backupdir, 'away'));
    await mkdir(snapshot);
    await expect(look()).rejects.toMatchObject({ reason: 'HOST_MISBEHAVED' });
  });

  it.each(['', 'data'])(
    'another directory in place of the partial snapshot (%s) fails the run',
    async (below) => {
      await rename(join(partial, below), join(backupdir, 'away'));
      await symlink(outside, join(partial, below));
      await expect(look()).rejects.toMatchObject({ reason: 'HOST_MISBEHAVED' });
    },
  );
});
