/** The manifest that each backup leaves: what it costs an incremental, and what must not go wrong for it. */
import { createHash } from 'node:crypto';
import { readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackupType, JobState, RunPhase, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import type { ManifestEntry } from '../../src/core/manifest.js';
import { readManifest } from '../../src/execute/manifest-reader.js';
import { listedSnapshots } from '../helpers/host-store.js';
import { expectBackup } from '../helpers/stock.js';
import { runCommand } from '../helpers/run-command.js';
import { TestBed } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

let bed: TestBed;
const source = (): string => join(bed.directory, 'source');
const large = (): string => join(bed.directory, 'large');

beforeAll(async () => {
  bed = await TestBed.create();
  const sshd = await bed.startSshd();
  await writeFiles(source(), { same: 5000, changing: 'first', 'deep/file': 'deep' });
  await writeFiles(join(bed.directory, 'large'), { file: 'small', other: 1 });
  await bed.configure([
    bed.hostAt(sshd, { name: 'web1', srcdirs: [source()] }),
    bed.hostAt(sshd, { name: 'large', srcdirs: [join(bed.directory, 'large')] }),
    ...(['server', 'client'] as const).map((initiator) =>
      bed.hostAt(sshd, {
        name: `ahead-${initiator}`,
        srcdirs: [join(bed.directory, 'ahead')],
        initiator,
        bandwidth_limit: '6M',
      }),
    ),
  ]);
  await bed.startDaemon();
});
afterAll(() => bed.end());

async function manifestOf(run: Run): Promise<Map<string, ManifestEntry>> {
  const entries = new Map<string, ManifestEntry>();
  for await (const piece of readManifest(bed.snapshotPath(run))) {
    for (const entry of piece) entries.set(entry.path, entry);
  }
  return entries;
}

async function snapshotJson(run: Run): Promise<{ manifest: unknown }> {
  return JSON.parse(await readFile(join(bed.snapshotPath(run), 'snapshot.json'), 'utf8')) as {
    manifest: unknown;
  };
}

describe('the manifest of a backup', () => {
  it('is there, and an incremental reads only what is new', async () => {
    const full = await expectBackup(bed, 'web1', source(), BackupType.FULL);
    expect(await bed.readRunLog(full.id)).toMatch(/manifest: \d+ entries, 3 of 3 files hashed \(4\.9 KiB\)/);
    await writeFile(join(source(), 'changing'), 'second!');
    const next = await expectBackup(bed, 'web1', source());
    expect(await bed.readRunLog(next.id)).toMatch(/manifest: \d+ entries, 1 of 3 files hashed \(7 B\)/);
    const entries = await manifestOf(next);
    const hash = createHash('sha256').update('second!').digest('hex');
    expect(entries.get(`${source()}/changing`)).toMatchObject({ hash, size: 7 });
    expect(entries.get(`${source()}/same`)?.hash).toBe(
      (await manifestOf(full)).get(`${source()}/same`)?.hash,
    );
    const { stdout } = await bed.busy(['snapshot', 'web1', next.snapshot, '--json']);
    const { snapshot } = JSON.parse(stdout) as { snapshot: { manifest: unknown } };
    expect(snapshot.manifest).toMatchObject({ files: 3, bytes: 5011 });
    expect((await snapshotJson(next)).manifest).toEqual({
      entries: entries.size,
      files: 3,
      bytes: 5011,
      unreadable: 0,
    });
  });

  it('is made anew when that of the link base is damaged', async () => {
    const before = await expectBackup(bed, 'web1', source());
    const file = join(bed.snapshotPath(before), 'manifest.gz');
    const whole = await readFile(file);
    await rename(file, `${file}.kept`);
    await writeFile(file, whole.subarray(0, whole.length / 2));
    const next = await expectBackup(bed, 'web1', source());
    const log = await bed.readRunLog(next.id);
    expect(log).toMatch(/the manifest of .* cannot be used, so its files are read again/);
    expect(log).toMatch(/1 of 3 files hashed \(7 B\)/);
    await rename(`${file}.kept`, file);
  });
});

describe('large files', () => {
  it.each(['server', 'client'])('are hashed while others are copied (initiator %s)', async (initiator) => {
    const ahead = join(bed.directory, 'ahead');
    await writeFiles(ahead, Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`${at}`, 2_000_000])));
    const run = await expectBackup(bed, `ahead-${initiator}`, ahead, BackupType.FULL);
    expect(await bed.readRunLog(run.id)).toMatch(
      /12 of 12 files hashed \(22\.9 MiB\), \d+ of them while others were copied/,
    );
    const entries = await manifestOf(run);
    for (let at = 0; at < 12; at++) {
      const hash = createHash('sha256')
        .update(await readFile(join(ahead, `${at}`)))
        .digest('hex');
      expect(entries.get(`${ahead}/${at}`)).toMatchObject({ hash });
    }
  });
});

describe('while the manifest is made', () => {
  it('the progress says so, and a cancel ends it without a trace', async () => {
    const before = await expectBackup(bed, 'large', large(), BackupType.FULL);
    // Known to be unchanged by size and time, so nothing is copied; but of a size that no manifest knows.
    for (const directory of [large(), join(bed.snapshotPath(before), 'data', large())]) {
      await runCommand('truncate', ['-s', '64G', join(directory, 'file')]);
      await utimes(join(directory, 'file'), 1_700_000_000, 1_700_000_000);
    }
    const { id } = await bed.trigger('large');
    const seen = await bed.waitForRun(id, ({ progress }) => progress?.phase === RunPhase.MANIFEST);
    expect(seen.jobs[0]).toMatchObject({ state: JobState.SUCCEEDED, stats: { filesTransferred: 0 } });
    expect((await bed.busy(['cancel', id])).code).toBe(0);
    expect(await bed.waitForRun(id)).toMatchObject({ state: RunState.CANCELLED, snapshot: '' });
    expect(await listedSnapshots(bed, 'large')).toEqual([before.snapshot]);
    await rm(join(large(), 'file'));
    await expectBackup(bed, 'large', large());
  });
});
