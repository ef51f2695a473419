/** What a released version wrote beside a snapshot is read as it was meant. */
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readManifest } from '../../src/execute/manifest-reader.js';
import { readSnapshotJson, readSourceCounts } from '../../src/execute/snapshot-json.js';

const snapshot = fileURLToPath(new URL('released/0.1.0', import.meta.url));

it('the snapshot.json of 0.1.0', async () => {
  expect(await readSnapshotJson(snapshot)).toMatchObject({
    host: 'localhost',
    name: '2026-11-26_19-18-35i',
    type: 'incremental',
    outcome: 'SUCCEEDED',
    sources: ['/tmp/sample/tree'],
    stats: { regularFiles: 4, linkedFiles: 4 },
    heldFor: [],
    manifest: { entries: 12, files: 4, bytes: 19, unreadable: 0 },
    verifiedAt: null,
    damagedFileCount: 0,
  });
  expect(await readSourceCounts(snapshot)).toMatchObject([{ source: '/tmp/sample/tree', files: 4 }]);
});

it('the manifest of 0.1.0', async () => {
  const found: string[] = [];
  for await (const piece of readManifest(snapshot))
    found.push(...piece.map(({ type, path, target }) => `${type} ${path} ${target}`.trim()));
  expect(found.slice(3)).toEqual([
    'directory /tmp/sample/tree',
    'file /tmp/sample/tree/caf\u00e9 %',
    'directory /tmp/sample/tree/dir',
    'file /tmp/sample/tree/dir/a',
    'directory /tmp/sample/tree/dir-b',
    'fifo /tmp/sample/tree/fifo',
    'file /tmp/sample/tree/file',
    'file /tmp/sample/tree/link',
    'symlink /tmp/sample/tree/symlink file',
  ]);
});
