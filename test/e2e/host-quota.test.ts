/** Hosts that send more than they may: bytes above their quota, names above max_entries. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { peakMemories, prepareBed } from '../helpers/hostile-bed.js';
import { spaceTaken } from '../helpers/space-taken.js';
import { until, type TestBed } from '../helpers/test-bed.js';

describe('a host that fills the disk', () => {
  let bed: TestBed;
  const at = (name: string): string => join(bed.directory, name);

  beforeAll(async () => {
    const real = 'exec rsync "$@"';
    const quota = { quota: '40M', idle_timeout: '10m' };
    bed = await prepareBed('server', [
      ['grows', real, { ...quota, source: 'grows' }],
      ['noted', real, quota],
      ['huge', real, { ...quota, source: 'huge' }],
      ['huge-pushed', real, { ...quota, source: 'huge', initiator: 'client' }],
      // What is allocated counts, not what a file claims to be.
      ['sparse', real, { ...quota, source: 'sparse' }],
      ['names', real, { max_entries: 500, source: 'names' }],
      // It does not say what it sends.
      [
        'hidden-names',
        'exec rsync "$@" 2>/dev/null',
        { max_entries: 500, source: 'names', initiator: 'client' },
      ],
    ]);
    for (const name of ['grows', 'huge', 'sparse', 'names']) await mkdir(at(name), { recursive: true });
    const { confinement } = JSON.parse((await bed.busy(['info', '--json'])).stdout) as Record<
      string,
      unknown
    >;
    expect(confinement).toMatchObject({ mode: 'auto', isBoxed: true, isMemoryBounded: true });
    await writeFile(at('grows/first'), randomBytes(20e6));
    for (let index = 0; index < 5; index++) await writeFile(at(`huge/${index}`), randomBytes(40e6));
    await writeFile(at('sparse/small'), 'mine');
    await truncate(at('sparse/small'), 300e6);
    for (let index = 0; index < 2000; index++) await writeFile(at(`names/${index}`), '');
  });
  afterAll(() => bed.end());

  const spaceOf = (host: string): Promise<number> => spaceTaken(join(bed.backupdir, host));

  it.each(['huge', 'huge-pushed'])(
    'with data (%s) is stopped at its quota, and nothing is kept',
    async (host) => {
      const run = await bed.backUp(host);
      expect(run).toMatchObject({
        state: RunState.FAILED,
        error: { reason: 'QUOTA_EXCEEDED' },
        snapshot: '',
      });
      expect(run.error?.message).toMatch(
        /^Host "huge.*" may take up 40\.0 MiB on the backup disk \(quota\), and this backup would not fit: it had added \d+\.\d MiB to 0 B/,
      );
      // The host would have sent 200 MB.
      expect(run.jobs[0]?.error?.reason).toBe('QUOTA_EXCEEDED');
      await until(async () => (await spaceOf(host)) < 1e6, 'what was copied to be removed');
      for (const bytes of await peakMemories(bed)) expect(bytes).toBeLessThan(400e6);
    },
  );

  it('keeps its older snapshots when a later one does not fit, also when nothing fits any more', async () => {
    const first = await bed.backUp('grows');
    expect(first.state, JSON.stringify(first.error)).toBe(RunState.SUCCEEDED);
    await writeFile(at('grows/second'), randomBytes(30e6));
    const second = await bed.backUp('grows');
    expect(second).toMatchObject({ state: RunState.FAILED, error: { reason: 'QUOTA_EXCEEDED' } });
    expect(await readdir(bed.snapshotPath(first))).toContain('snapshot.json');
    await until(async () => (await spaceOf('grows')) < 22e6, 'what was copied to be removed');

    // An unchanged file costs nothing.
    await rm(at('grows/second'));
    const third = await bed.backUp('grows');
    expect(third.state, JSON.stringify(third.error)).toBe(RunState.SUCCEEDED);

    const copy = join(bed.backupdir, 'grows/2020-01-01_00-00-00f');
    await promisify(execFile)('cp', ['-a', bed.snapshotPath(first), copy]);
    await writeFile(join(copy, 'more'), randomBytes(5e6));
    await rm(join(bed.backupdir, 'grows/.space.json'));
    const before = (await readdir(join(bed.backupdir, 'grows'))).length;
    const fourth = await bed.backUp('grows');
    expect(fourth).toMatchObject({ state: RunState.FAILED, error: { reason: 'QUOTA_EXCEEDED' } });
    expect(fourth.error?.message).toMatch(/and its backups take up 4\d\.\d MiB already\.$/);
    expect(fourth.error?.advice).toContain('nothing was deleted');
    expect(await readdir(join(bed.backupdir, 'grows'))).toHaveLength(before + 1);
  });

  it('is not stopped for what was noted and has been removed since', async () => {
    await mkdir(join(bed.backupdir, 'noted'));
    const note = join(bed.backupdir, 'noted/.space.json');
    await writeFile(note, JSON.stringify({ bytes: 40 * 1024 ** 2 - 1 }));
    const run = await bed.backUp('noted');
    expect(run.state, JSON.stringify(run.error)).toBe(RunState.SUCCEEDED);
    const { bytes } = JSON.parse(await readFile(note, 'utf8')) as { bytes: number };
    expect(bytes).toBeLessThan(1e6);
  });

  it('has what is yet to be removed counted, which goes first when there is no room', async () => {
    const removed = join(bed.backupdir, 'noted/.removed-2020-01-01_00-00-00f');
    await mkdir(removed);
    await writeFile(join(removed, 'data'), randomBytes(41e6));
    await writeFile(join(removed, 'more'), randomBytes(41e6));
    await rm(join(bed.backupdir, 'noted/.space.json'));
    const run = await bed.backUp('noted');
    expect(run.state, JSON.stringify(run.error)).toBe(RunState.SUCCEEDED);
    expect(await bed.readRunLog(run.id)).toContain('the quota is used up');
    expect(await readdir(join(bed.backupdir, 'noted'))).not.toContain('.removed-2020-01-01_00-00-00f');
  });

  it('may send a file that is larger than its quota, but has holes', async () => {
    const run = await bed.backUp('sparse');
    expect(run.state, JSON.stringify(run.error)).toBe(RunState.SUCCEEDED);
    expect(await spaceOf('sparse')).toBeLessThan(1e6);
  });

  it.each(['names', 'hidden-names'])('with names (%s) is stopped at max_entries', async (host) => {
    const run = await bed.backUp(host);
    expect(run).toMatchObject({
      state: RunState.FAILED,
      error: { reason: 'TOO_MANY_ENTRIES' },
      snapshot: '',
    });
    expect(run.error?.message).toContain('more than 500 files and directories');
    const left = (await readdir(join(bed.backupdir, host))).filter((name) => name.startsWith('.partial-'));
    expect(left).toEqual([]);
  });
});
