import { expect, it } from 'vitest';
import { isFromThisPage } from '../../../clients/web/gateway/request-origin.js';

it.each([
  ['the page itself', { 'sec-fetch-site': 'same-origin', host: 'busy.example.org' }, true],
  ['another site', { 'sec-fetch-site': 'cross-site', host: 'busy.example.org' }, false],
  ['another port or name of the same site', { 'sec-fetch-site': 'same-site' }, false],
  ['an address typed in', { 'sec-fetch-site': 'none' }, false],
  ['an older browser', { origin: 'https://busy.example.org', host: 'busy.example.org' }, true],
  [
    'an older browser behind a proxy',
    { origin: 'https://b.org', host: '127.0.0.1:8080', 'x-forwarded-host': 'b.org' },
    true,
  ],
  ['another site in an older browser', { origin: 'https://evil.example', host: 'busy.example.org' }, false],
  ['a page without origin', { origin: 'null', host: 'busy.example.org' }, false],
  ['a program', { host: 'busy.example.org' }, true],
])('a request of %s: %o', (_, headers, isAllowed) => {
  expect(isFromThisPage(headers)).toBe(isAllowed);
});
