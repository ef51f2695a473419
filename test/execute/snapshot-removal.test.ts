import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SnapshotRecord } from '../../src/core/snapshot.js';
import { readSnapshotJson, readSourceCounts } from '../../src/execute/snapshot-json.js';
import { createSnapshotDisk } from '../../src/execute/snapshot-removal.js';
import { sampleSnapshot } from '../rpc/samples.js';

const old = '2026-11-01_20-00-05f';
const newest = '2026-11-02_20-00-05i';
const never = new AbortController().signal;
const disk = createSnapshotDisk(process.pid);

describe('the disk of snapshots', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'busy-removal-'));
    for (const name of [old, newest]) {
      await mkdir(join(directory, 'web1', name, 'data'), { recursive: true });
      await writeFile(join(directory, 'web1', name, 'data/file'), name);
    }
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  const names = async (): Promise<string[]> => (await readdir(join(directory, 'web1'))).sort();

  function snapshot(name: string, changes: Partial<SnapshotRecord> = {}): SnapshotRecord {
    return { ...sampleSnapshot('web1', name), path: join(directory, 'web1', name), ...changes };
  }

  test('takes a snapshot out in one step, and frees its space later', async () => {
    await disk.takeOut(snapshot(old));
    expect(await names()).toEqual([`.removed-${old}`, newest]);
    expect(await disk.sweepBeside(snapshot(old), never)).toBe(true);
    expect(await names()).toEqual([newest]);
  });

  test('knows what is there, what was being taken out, and what is not there', async () => {
    const records = [snapshot(old), snapshot(newest), snapshot('2026-11-03_20-00-05i')];
    await disk.takeOut(snapshot(old));
    expect([...(await disk.locate(records)).values()]).toEqual(['taken out', 'present', 'absent']);
    await rename(join(directory, 'web1'), join(directory, 'elsewhere'));
    expect([...(await disk.locate(records)).values()]).toEqual(['absent', 'absent', 'absent']);
  });

  test('a disk that is not mounted is a fault', async () => {
    await rename(directory, `${directory}-elsewhere`);
    await expect(disk.takeOut(snapshot(old))).rejects.toMatchObject({ reason: 'BACKUPDIR_UNUSABLE' });
    await rename(`${directory}-elsewhere`, directory);
  });

  test('neither takes out nor sweeps where another daemon has the lock', async () => {
    await disk.takeOut(snapshot(old));
    const lock = {
      pid: 1,
      startTime: '1',
      hostname: 'elsewhere',
      machineId: 'x',
      bootId: 'x',
      pidNamespace: 'x',
    };
    await writeFile(join(directory, '.busyd.lock'), JSON.stringify(lock));
    await expect(disk.takeOut(snapshot(newest))).rejects.toMatchObject({ reason: 'BACKUPDIR_IN_USE' });
    expect(await disk.sweepBeside(snapshot(newest), never)).toBe(false);
    expect(await names()).toEqual([`.removed-${old}`, newest]);
  });

  test('touches nothing that is not a snapshot, whatever a record says', async () => {
    const path = join(directory, 'web1');
    for (const record of [snapshot(old, { path }), snapshot('web1', { path })]) {
      expect(() => disk.takeOut(record)).toThrow('is not the directory of a snapshot');
    }
    expect(await names()).toHaveLength(2);
  });

  test('a sweep that is told to stop leaves the rest for the next, and says so', async () => {
    await disk.takeOut(snapshot(old));
    expect(await disk.sweepBeside(snapshot(old), AbortSignal.abort())).toBe(false);
    expect(await names()).toEqual([`.removed-${old}`, newest]);
    expect(await disk.sweepBeside(snapshot(old), never)).toBe(true);
    expect(await names()).toEqual([newest]);
  });

  test('releases a held one in its snapshot.json, keeps what it was held for, and does so once', async () => {
    const heldFor = [{ code: 'SHRUNK', source: '/etc', message: 'it has shrunk' }] as const;
    const held = snapshot(newest, { heldFor, verifiedAt: null, damagedFileCount: 0 });
    await writeFile(join(held.path, 'snapshot.json'), JSON.stringify({ version: 1, ...held, jobs: [] }));
    // What a crash between the two steps of an earlier release has left.
    await writeFile(join(held.path, 'snapshot.json.new'), '{');
    expect(await readSourceCounts(held.path)).toBe(null);
    const at = new Date('2026-11-23T00:00:00Z');
    await disk.release(held, at);
    await disk.release(held, new Date(0));
    expect(await readSnapshotJson(held.path)).toEqual({ ...held, heldFor: [] });
    expect(await readSourceCounts(held.path)).toEqual([]);
    const json = JSON.parse(await readFile(join(held.path, 'snapshot.json'), 'utf8')) as object;
    expect(json).toMatchObject({ version: 1, acknowledged: { at: at.toISOString(), heldFor } });
    expect(await readdir(held.path)).toEqual(['data', 'snapshot.json']);
  });

  test('says of one whose directory is gone what is wrong', async () => {
    const gone = snapshot('2026-11-03_20-00-05i');
    await expect(disk.release(gone, new Date(0))).rejects.toMatchObject({ reason: 'BACKUPDIR_UNUSABLE' });
  });
});
