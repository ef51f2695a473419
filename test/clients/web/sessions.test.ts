import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { clearedCookie, newCookie, readCookie } from '../../../clients/web/gateway/session-cookie.js';
import { Sessions } from '../../../clients/web/gateway/sessions.js';

const hourMs = 3_600_000;
let sessions: Sessions;

beforeEach(() => {
  vi.useFakeTimers();
  sessions = new Sessions({ idleMs: 12 * hourMs, longestMs: 168 * hourMs }, Date.now);
});
afterEach(() => void vi.useRealTimers());

const pass = (ms: number): unknown => vi.advanceTimersByTime(ms);
const open = (token = 'token'): string => sessions.open(token) ?? '';
const tokenOf = (id: string): string | null => sessions.find(id)?.token ?? null;

describe('a session', () => {
  it('stands for its token, and no other id does', () => {
    const ids = [open('one'), open('two')];
    expect(ids.map(tokenOf)).toEqual(['one', 'two']);
    expect(tokenOf('one')).toBeNull();
    expect(tokenOf('')).toBeNull();
  });

  it('lives as long as it is used, and ends after a time without use', () => {
    const id = open();
    pass(11 * hourMs);
    expect(tokenOf(id)).toBe('token');
    pass(11 * hourMs);
    expect(tokenOf(id)).toBe('token');
    pass(13 * hourMs);
    expect(tokenOf(id)).toBeNull();
    expect(tokenOf(id)).toBeNull();
  });

  it('ends some days after its login, however much it is used, with all that it has running', () => {
    const id = open();
    const ended = sessions.find(id)?.ended;
    for (let hours = 0; hours < 160; hours += 10) {
      pass(10 * hourMs);
      expect(tokenOf(id)).toBe('token');
    }
    expect(ended?.aborted).toBe(false);
    pass(9 * hourMs);
    expect(ended?.aborted).toBe(true);
    expect(tokenOf(id)).toBeNull();
  });

  it('ends when it is closed, with all that it has running, and no other does', () => {
    const [id, other] = [open(), open()];
    const [ended, othersEnded] = [sessions.find(id)?.ended, sessions.find(other)?.ended];
    sessions.close(id);
    expect(tokenOf(id)).toBeNull();
    expect(ended?.aborted).toBe(true);
    expect(othersEnded?.aborted).toBe(false);
    expect(tokenOf(other)).toBe('token');
  });

  it('makes room for others of its token when there are too many: the least used goes, and none of another token', () => {
    const others = open('other');
    const [first, second] = [open(), open()];
    for (let number = 0; number < 48; number++) open();
    expect(tokenOf(first)).toBe('token');
    open();
    expect(tokenOf(second)).toBeNull();
    expect(tokenOf(first)).toBe('token');
    expect(tokenOf(others)).toBe('other');
  });
});

describe('the cookie of a session', () => {
  it.each([
    [{ basePath: '/', isSecure: false }, 'busy_session=abc; Path=/; HttpOnly; SameSite=Strict'],
    [{ basePath: '/', isSecure: true }, '__Host-busy_session=abc; Path=/; HttpOnly; SameSite=Strict; Secure'],
    [
      { basePath: '/busy/', isSecure: true },
      '__Secure-busy_session=abc; Path=/busy/; HttpOnly; SameSite=Strict; Secure',
    ],
  ])('for %j', (place, cookie) => {
    expect(newCookie('abc', place)).toBe(cookie);
    expect(clearedCookie(place)).toContain('=; Max-Age=0; ');
    expect(readCookie(`x=1; ${cookie.split(';')[0]}`, place)).toBe('abc');
  });

  it('is not taken from one that a neighbour could have planted', () => {
    expect(readCookie('busy_session=abc', { basePath: '/', isSecure: true })).toBeNull();
  });
});
