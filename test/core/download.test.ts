import { describe, expect, it } from 'vitest';
import { downloadName, isAmong, parentsOf, withoutNested } from '../../src/core/download.js';

describe('what is downloaded', () => {
  it('is each thing once', () => {
    expect(withoutNested(['/etc/hosts', '/etc', '/etc', '/etcetera'])).toEqual(['/etc', '/etcetera']);
    expect(withoutNested(['/a', '/', '/b'])).toEqual(['/']);
    expect(withoutNested(['/a/b', '/a/bc'])).toEqual(['/a/b', '/a/bc']);
  });

  it('knows the directories above a path, and what is below one', () => {
    expect(parentsOf('/a/b/c')).toEqual(['/a/b', '/a', '/']);
    expect(parentsOf('/')).toEqual([]);
    expect(isAmong(new Set(['/a']), '/a/b')).toBe(true);
    expect(isAmong(new Set(['/a']), '/ab')).toBe(false);
    expect(isAmong(new Set(['/']), '/ab')).toBe(true);
  });

  it.each([
    ['file', ['/etc/hosts'], 'hosts'],
    ['file', ['/x/ä \xff\n"$(id)"'], '____012___id__'],
    ['tar.gz', ['/etc'], 'web1-2026-11-22_20-00-05f-etc.tar.gz'],
    ['tar', ['/'], 'web1-2026-11-22_20-00-05f.tar'],
    ['tar', ['/a', '/b'], 'web1-2026-11-22_20-00-05f.tar'],
  ] as const)('is called so that any file system takes it: %s of %j', (format, paths, name) => {
    const made = downloadName({ host: 'web1', snapshot: '2026-11-22_20-00-05f', paths }, format);
    if (name.includes('____')) expect(made).toMatch(/^[\p{L}\p{N}._ -]+$/u);
    else expect(made).toBe(name);
  });
});
