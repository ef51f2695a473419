import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  comparePaths,
  escapePath,
  parseShownPath,
  showPath,
  unescapePath,
} from '../../src/core/byte-path.js';

const allBytes = Array.from({ length: 255 }, (_, index) => String.fromCharCode(index + 1)).join('');

describe('paths as bytes', () => {
  it('survive their form as text, whatever bytes they have', () => {
    const text = escapePath(allBytes);
    expect(text).toMatch(/^[!-~]+$/);
    expect(unescapePath(text)).toBe(allBytes);
    expect(unescapePath(escapePath('100%41'))).toBe('100%41');
  });

  it.each([
    ['/plain', '/plain'],
    [bytesOf('/Grüße/😀'), '/Grüße/😀'],
    ['/caf\xe9', '/caf\\#351'],
    ['/line\nbreak\x7f', '/line\\#012break\\#177'],
    ['/looks like \\#012', '/looks like \\#134#012'],
    ['/back\\slash', '/back\\slash'],
  ])('are shown to people: %j', (path, shown) => {
    expect(showPath(path)).toBe(shown);
    expect(parseShownPath(shown)).toBe(path);
  });

  it('are read back from what people see, whatever bytes they have', () => {
    expect(parseShownPath(showPath(allBytes))).toBe(allBytes);
    expect(parseShownPath(showPath(bytesOf('\ufeff\u202e\u0085ü')))).toBe(bytesOf('\ufeff\u202e\u0085ü'));
    expect(parseShownPath('/\\#777')).toBeNull();
  });

  it('sort so that a directory is followed by what is below it', () => {
    const sorted = ['/', '/a', '/a/b', '/a/b/c', '/a/c', '/a.b', '/a.b/c', '/aa', '/b', '/\xff'];
    const shuffled = sorted.toReversed();
    expect(shuffled.sort(comparePaths)).toEqual(sorted);
    expect(comparePaths('/a', '/a')).toBe(0);
  });
});
