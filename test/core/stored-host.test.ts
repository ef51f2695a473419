import { describe, expect, it } from 'vitest';
import { problemList } from '../../src/core/problem-list.js';
import { changeSettings } from '../../src/core/stored-host.js';

describe('a change of settings', () => {
  const before = { backupdir: '/b', max_incr: 5, excludes: ['a'] };

  it.each([
    ['sets what the mask names', { max_incr: 7 }, ['max_incr'], { ...before, max_incr: 7 }],
    ['adds what was not there', { port: 22 }, ['port'], { ...before, port: 22 }],
    ['removes what has no new value', {}, ['max_incr', 'excludes'], { backupdir: '/b' }],
    ['leaves what the mask does not name', { max_incr: 7, port: 1 }, ['port'], { ...before, port: 1 }],
    ['replaces a list as a whole', { excludes: [] }, ['excludes'], { ...before, excludes: [] }],
    ['replaces all for *', { port: 22 }, ['*'], { port: 22 }],
  ])('%s', (_, settings, mask, after) => {
    expect(changeSettings(before, { settings, mask })).toEqual(after);
  });
});

describe('a list of problems', () => {
  it('has one in a line', () => {
    expect(problemList(['a', 'b'])).toBe('a\nb');
  });

  it('counts those that have no room', () => {
    const list = problemList(['a'.repeat(600), 'b'.repeat(600), 'c']);
    expect(list).toBe(`${'a'.repeat(600)}\nand 2 more`);
  });

  it('has the first also when that alone is too long', () => {
    expect(problemList(['a'.repeat(5000), 'b'])).toBe(`${'a'.repeat(1000)}...\nand 1 more`);
  });
});
