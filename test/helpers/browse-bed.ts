/** Two snapshots on disk whose files a hostile host has chosen, for tests that look into them. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowseSource } from '../../src/core/browse.js';
import { makeManifest } from '../../src/execute/manifest.js';

export interface BrowseBed {
  readonly directory: string;
  readonly older: BrowseSource;
  readonly newer: BrowseSource;
}

const quiet = { check: () => {}, say: () => {}, onProgress: () => {} };
export const longAgo = new Date('2026-11-20T10:00:00Z');

export async function createBrowseBed(): Promise<BrowseBed> {
  const directory = mkdtempSync(join(tmpdir(), 'busy-browse-'));
  writeFileSync(join(directory, 'secret'), 'secret');
  const store = join(directory, 'web1');
  const [first, second] = ['2026-11-21_20-00-05f', '2026-11-22_20-00-05i'] as const;
  const data = join(store, first, 'data');
  mkdirSync(join(data, 'etc/ssh'), { recursive: true });
  writeFileSync(join(store, first, 'snapshot.json'), '{}');
  for (const name of ['same', 'edited', 'touched', 'chmodded', 'removed', 'a.b', 'ssh/config', '.hidden']) {
    writeFileSync(join(data, 'etc', name), name);
    utimesSync(join(data, 'etc', name), longAgo, longAgo);
  }
  writeFileSync(Buffer.from(`${data}/etc/caf\xe9\n`, 'latin1'), 'odd');
  writeFileSync(join(data, 'etc/Grüße'), 'utf8');
  symlinkSync(directory, join(data, 'etc/out'));
  symlinkSync('../../snapshot.json', join(data, 'etc/up'));
  execFileSync('mkfifo', [join(data, 'etc/fifo')]);
  await makeManifest({ directory: join(store, first), bases: [] }, quiet);
  mkdirSync(join(store, second));
  execFileSync('cp', ['-al', data, join(store, second)]);
  writeFileSync(join(store, second, 'snapshot.json'), '{}');
  const changed = join(store, second, 'data/etc');
  for (const name of ['edited', 'touched', 'chmodded', 'removed']) execFileSync('rm', [join(changed, name)]);
  writeFileSync(join(changed, 'edited'), 'EDITED');
  utimesSync(join(changed, 'edited'), longAgo, new Date(longAgo.getTime() + 5000));
  writeFileSync(join(changed, 'touched'), 'touched');
  utimesSync(join(changed, 'touched'), longAgo, new Date(longAgo.getTime() + 5000));
  writeFileSync(join(changed, 'chmodded'), 'chmodded');
  utimesSync(join(changed, 'chmodded'), longAgo, longAgo);
  chmodSync(join(changed, 'chmodded'), 0o600);
  mkdirSync(join(changed, 'new'));
  writeFileSync(join(changed, 'new/file'), 'new!');
  await makeManifest({ directory: join(store, second), bases: [join(store, first)] }, quiet);
  const source = (snapshot: string): BrowseSource => ({
    host: 'web1',
    snapshot,
    directory: join(store, snapshot),
    manifest: join(store, snapshot, 'manifest.gz'),
  });
  return { directory, older: source(first), newer: source(second) };
}

/** As it is looked at without a manifest, and from the list beside an archive. */
export function onDisk(source: BrowseSource): BrowseSource {
  return { ...source, manifest: null };
}

export function asArchive(source: BrowseSource): BrowseSource {
  return { ...source, directory: null };
}
