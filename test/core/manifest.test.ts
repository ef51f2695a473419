import { describe, expect, it } from 'vitest';
import {
  attributeDifferences,
  isDamage,
  isSameFile,
  type ManifestEntry,
  type TreeEntry,
} from '../../src/core/manifest.js';

const entry: ManifestEntry = {
  path: '/etc/hosts',
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 12,
  mtimeNs: '1795000000123456789',
  inode: '4711',
  target: '',
  error: '',
  hash: 'a'.repeat(64),
};

function found(changes: Partial<TreeEntry> = {}): TreeEntry {
  const { hash: _, ...rest } = entry;
  return { ...rest, links: 1, ...changes };
}

describe('the attributes of an entry', () => {
  it('are as they were', () => {
    expect(attributeDifferences(entry, found({ inode: '1', links: 7 }))).toEqual([]);
  });

  it.each([
    [{ size: 13 }, 'size', 'was 12 bytes, is 13 bytes'],
    [{ mode: 0o4644 }, 'mode', 'was 0644, is 4644'],
    [{ gid: 7 }, 'owner', 'was 0:0, is 0:7'],
    [{ mtimeNs: '1795000000123456790' }, 'mtime', 'was 1795000000.123456789, is 1795000000.123456790'],
    [{ mtimeNs: '-1' }, 'mtime', 'was 1795000000.123456789, is -0.000000001'],
    [{ type: 'symlink' as const, target: '/x' }, 'type', 'was file, is symlink'],
    [{ type: 'unknown' as const, error: 'EIO' }, 'unreadable', 'EIO'],
    [{ error: 'EACCES' }, 'unreadable', 'EACCES'],
  ])('differ: %j', (changes, kind, detail) => {
    expect(attributeDifferences(entry, found(changes))).toEqual([{ kind, path: '/etc/hosts', detail }]);
  });

  it('tell all that differs at once', () => {
    const kinds = attributeDifferences(entry, found({ size: 1, mode: 0, uid: 1, mtimeNs: '0' }));
    expect(kinds.map(({ kind }) => kind)).toEqual(['size', 'mode', 'owner', 'mtime']);
  });

  it('of what could not be read then either are no difference', () => {
    const unreadable = { ...entry, error: 'EACCES', hash: '' };
    expect(attributeDifferences(unreadable, found({ error: 'EACCES' }))).toEqual([]);
    expect(attributeDifferences({ ...entry, type: 'unknown' }, found())).toEqual([]);
  });

  it('say that data is lost or only that something was changed', () => {
    expect(
      ['content', 'missing', 'size', 'unreadable', 'target', 'type'].every((kind) =>
        isDamage(kind as 'size'),
      ),
    ).toBe(true);
    expect(['mode', 'owner', 'mtime', 'extra'].some((kind) => isDamage(kind as 'mode'))).toBe(false);
  });
});

describe('a file', () => {
  it('is the same by inode and times', () => {
    expect(isSameFile(entry, found({ mode: 0, links: 9 }))).toBe(true);
  });

  it.each([{ inode: '4712' }, { size: 13 }, { mtimeNs: '1795000000123456788' }])(
    'is another: %j',
    (changes) => {
      expect(isSameFile(entry, found(changes))).toBe(false);
    },
  );
});
