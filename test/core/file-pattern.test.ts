import { expect, it } from 'vitest';
import { bytesOf } from '../../src/core/byte-path.js';
import { readFilePattern } from '../../src/core/file-pattern.js';

it.each([
  ['hosts', '/etc/hosts', true],
  ['hosts', '/etc/hosts.allow', false],
  ['*.conf', '/a/b/.hidden.conf', true],
  ['*', '/', false],
  ['gr??e', bytesOf('/größe'), true],
  ['[a-c]{x,y}', '/d/by', true],
  ['/etc/*', '/etc/hosts', true],
  ['/etc/*', '/etc/ssh/config', false],
  ['/etc/**', '/etc/ssh/config', true],
  ['/**/x', '/x', true],
  ['**/x', '/a/b/x', true],
  ['etc/*', '/etc/hosts', true],
  ['etc/*', '/srv/etc/hosts', false],
  ['caf\\#351*', '/caf\xe9!', true],
  ['caf\\#351*', '/cafe!', false],
  ['a\\*b', '/a*b', true],
  ['a\\*b', '/axb', false],
])('the pattern %s and the path %j: %s', (pattern, path, isMatch) => {
  expect(readFilePattern(pattern)(path)).toBe(isMatch);
});

it.each(['', 'x'.repeat(1001)])('refuses a pattern that cannot be', (pattern) => {
  expect(() => readFilePattern(pattern)).toThrow(
    expect.objectContaining({
      reason: 'INVALID_ARGUMENT',
      facts: expect.objectContaining({ field: 'pattern' }) as object,
    }),
  );
});
