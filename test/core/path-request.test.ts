import { expect, it } from 'vitest';
import { readPathRequest } from '../../src/core/path-request.js';

it.each([
  ['', '/'],
  ['/', '/'],
  ['/etc/', '/etc'],
  ['/etc/...', '/etc/...'],
  ['/caf\\#351/..a', '/caf\xe9/..a'],
])('reads the path %j', (text, path) => {
  expect(readPathRequest(text)).toBe(path);
});

it.each([
  ['etc/passwd', 'does not begin with a slash'],
  ['..', 'does not begin with a slash'],
  ['/..', '".."'],
  ['/etc/../../secret', '".."'],
  ['/\\#056\\#056/secret', '".."'],
  ['/etc/\\#056.', '".."'],
  ['/.', 'empty part'],
  ['/etc//passwd', 'empty part'],
  ['//', 'empty part'],
  ['/etc\\#000/passwd', 'zero byte'],
  ['/\\#400', 'no byte'],
  [`/${'x'.repeat(20_000)}`, 'too long'],
])('refuses the path %j', (text, problem) => {
  expect(() => readPathRequest(text)).toThrow(
    expect.objectContaining({ reason: 'PATH_REFUSED', message: expect.stringContaining(problem) as string }),
  );
});
