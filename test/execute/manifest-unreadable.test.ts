import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { bytesOf } from '../../src/core/byte-path.js';
import type { TreeEntry } from '../../src/core/manifest.js';
import { makeLines } from '../../src/execute/manifest-batch.js';
import { TreeListing } from '../../src/execute/tree-listing.js';

const nobody = 65_534;
const scratch = mkdtempSync(join(tmpdir(), 'busy-unreadable-'));
const isRoot = process.getuid?.() === 0;
afterEach(() => {
  if (isRoot) process.seteuid?.(0);
  rmSync(scratch, { recursive: true });
});

test('what may not be read is told, and what can be read of it', () => {
  const tree = join(scratch, 'tree');
  chmodSync(scratch, 0o755);
  mkdirSync(join(tree, 'closed'), { recursive: true });
  writeFileSync(join(tree, 'closed', 'hidden'), '');
  writeFileSync(join(tree, 'open'), '');
  writeFileSync(join(tree, 'secret'), 'content');
  chmodSync(join(tree, 'secret'), 0);
  chmodSync(join(tree, 'closed'), 0);
  // Nothing is closed to root.
  if (isRoot) process.seteuid?.(nobody);
  const listed = new TreeListing(bytesOf(tree)).next(100);
  const { parts, counts, errors } = makeLines(
    { ...(listed as NonNullable<typeof listed>), known: [] },
    { root: bytesOf(tree), ahead: null, check: () => {}, onProgress: () => {} },
  );
  expect(parts).toHaveLength(1);
  const lines = (parts[0] as string).split('\n').slice(0, -1);
  expect(lines.map((line) => line.split(' ').slice(7).join(' '))).toEqual([
    '- /',
    '!EACCES /closed',
    expect.stringMatching(/^[0-9a-f]{64} \/open$/),
    '!EACCES /secret',
  ]);
  expect(counts).toMatchObject({ entries: 4, files: 2, bytes: 7, unreadable: 1, hashedFiles: 1 });
  expect(errors).toEqual([
    { path: '/closed', code: 'EACCES' },
    { path: '/secret', code: 'EACCES' },
  ]);
  if (isRoot) process.seteuid?.(0);
  chmodSync(join(tree, 'closed'), 0o755);
});

test('a directory that was none when it was listed is left, and so is a file with other names', () => {
  mkdirSync(join(scratch, 'later'), { recursive: true });
  writeFileSync(join(scratch, 'file'), 'x');
  const { parts } = makeLines(
    { paths: ['/file', '/gone', '/later'], directories: new Set(), errors: new Map(), known: [] },
    { root: bytesOf(scratch), ahead: null, check: () => {}, onProgress: () => {} },
  );
  expect(parts[0]).toMatch(/ \/file\n$/);
  expect(parts.slice(1).map((part) => (part as TreeEntry).path)).toEqual(['/later']);
});
