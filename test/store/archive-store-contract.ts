/** What every ArchiveStore must do, whatever database is behind it. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ArchiveRecord } from '../../src/core/archive.js';
import type { ArchiveStore } from '../../src/core/archive-ports.js';
import { largest, lookAlikes, sampleSnapshot } from './samples.js';

export interface OpenArchiveStore {
  readonly archives: ArchiveStore;
  close(): Promise<void>;
}

function sampleArchive(name: string, changes: Partial<ArchiveRecord> = {}): ArchiveRecord {
  return {
    host: 'web1',
    name,
    format: 'tar.gz',
    path: `/srv/\\#377 \u{1f600}/web1-${name}.tar.gz`,
    bytes: largest,
    sha256: 'ab'.repeat(32),
    archivedAt: new Date(1_795_000_000_001),
    runId: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    snapshot: sampleSnapshot(name),
    manifestRoot: 'data',
    manifest: { entries: 3, files: 2, bytes: largest, unreadable: 0 },
    verifiedAt: new Date(1_795_000_000_002),
    damage: '',
    copyPath: '',
    ...changes,
  };
}

const shown = (found: readonly ArchiveRecord[]): string[] => found.map(({ name, host }) => `${name} ${host}`);

export function archiveStoreContract(open: () => Promise<OpenArchiveStore>): void {
  let opened: OpenArchiveStore;
  let archives: ArchiveStore;
  beforeEach(async () => {
    opened = await open();
    archives = opened.archives;
  });
  afterEach(() => opened.close());

  it('answers what was put, every field', async () => {
    const archive = sampleArchive('2026-11-22_20-00-05f');
    await archives.put(archive);
    expect(await archives.list({})).toStrictEqual([archive]);
    expect(await archives.get('web1', archive.name)).toStrictEqual(archive);
    const without = {
      ...archive,
      manifest: null,
      verifiedAt: null,
      damage: 'all of it',
      copyPath: '/second',
    };
    await archives.put(without);
    expect(await archives.list({})).toStrictEqual([without]);
  });

  it('takes no host for another', async () => {
    for (const host of lookAlikes) await archives.put(sampleArchive('2026-11-22_20-00-05f', { host }));
    expect(await archives.list({ host: 'WEB1' })).toHaveLength(1);
    await archives.remove('WEB1', '2026-11-22_20-00-05f');
    expect(await archives.get('WEB1', '2026-11-22_20-00-05f')).toBeNull();
    expect(await archives.list({})).toHaveLength(lookAlikes.length - 1);
  });

  it('goes on after any archive, newest first', async () => {
    const names = ['2026-11-22_20-00-05f', '2026-11-23_20-00-05i', '2026-11-24_20-00-05i'];
    for (const name of names)
      for (const host of ['web2', 'web1']) await archives.put(sampleArchive(name, { host }));
    const all = names.toReversed().flatMap((name) => ['web1', 'web2'].map((host) => `${name} ${host}`));
    expect(shown(await archives.list({}))).toEqual(all);
    for (const [index, key] of all.entries()) {
      const [name = '', host = ''] = key.split(' ');
      const after = { name, host };
      expect(shown(await archives.list({ after, limit: 2 }))).toEqual(all.slice(index + 1, index + 3));
      const ofHost = all.slice(index + 1).filter((other) => other.endsWith(` ${host}`));
      expect(shown(await archives.list({ after, host }))).toEqual(ofHost);
    }
  });
}
