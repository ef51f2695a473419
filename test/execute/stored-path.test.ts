import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { storedPath } from '../../src/execute/stored-path.js';

let top: string;
let snapshot: string;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'busy-stored-'));
  snapshot = join(top, 'web1', '2026-11-22_20-00-05f');
  mkdirSync(join(snapshot, 'data/etc/ssh'), { recursive: true });
  writeFileSync(join(snapshot, 'snapshot.json'), '{}');
  writeFileSync(join(top, 'secret'), 'secret');
  symlinkSync(top, join(snapshot, 'data/etc/out'));
  symlinkSync('../..', join(snapshot, 'data/etc/up'));
  symlinkSync('ssh', join(snapshot, 'data/etc/inside'));
  writeFileSync(join(snapshot, 'data/etc/file'), 'x');
});

afterEach(() => rmSync(top, { recursive: true }));

it('answers the place, also of what is not there yet and of a symlink itself', () => {
  const place = (path: string): string => storedPath(snapshot, path).toString('latin1');
  expect(place('/')).toBe(join(snapshot, 'data'));
  expect(place('/etc/ssh/new\xff')).toBe(join(snapshot, 'data/etc/ssh/new\xff'));
  expect(place('/etc/out')).toBe(join(snapshot, 'data/etc/out'));
});

it.each([
  ['/../snapshot.json', 'PATH_REFUSED'],
  ['/etc/../../snapshot.json', 'PATH_REFUSED'],
  ['etc', 'PATH_REFUSED'],
  ['/etc/./ssh', 'PATH_REFUSED'],
  ['/etc//ssh', 'PATH_REFUSED'],
  ['/etc/out/secret', 'PATH_REFUSED'],
  ['/etc/up/snapshot.json', 'PATH_REFUSED'],
  ['/etc/inside/x', 'PATH_REFUSED'],
  ['/etc/ssh\0/x', 'PATH_REFUSED'],
  ['/etc/file/x', 'PATH_NOT_FOUND'],
  ['/none/x', 'PATH_NOT_FOUND'],
  [`/${'x'.repeat(300)}/x`, 'PATH_NOT_FOUND'],
])('refuses %s with %s', (path, reason) => {
  expect(() => storedPath(snapshot, path)).toThrow(expect.objectContaining({ reason }));
});

it('does not follow a symlink in place of the data, and says when the snapshot is gone', () => {
  rmSync(join(snapshot, 'data'), { recursive: true });
  expect(() => storedPath(snapshot, '/etc')).toThrow(expect.objectContaining({ reason: 'SNAPSHOT_REMOVED' }));
  symlinkSync(top, join(snapshot, 'data'));
  expect(() => storedPath(snapshot, '/secret')).toThrow(
    expect.objectContaining({ reason: 'SNAPSHOT_REMOVED' }),
  );
});
