import { describe, expect, it } from 'vitest';
import { Sessions } from '../../../clients/web/gateway/sessions.js';

const hourMs = 3_600_000;

function open() {
  let nowMs = 0;
  const sessions = new Sessions(12 * hourMs, () => nowMs);
  return { sessions, pass: (ms: number) => (nowMs += ms) };
}

describe('a session', () => {
  it('stands for its token, and no other id does', () => {
    const { sessions } = open();
    const ids = [sessions.open('one'), sessions.open('two')];
    expect(ids.map((id) => sessions.tokenOf(id))).toEqual(['one', 'two']);
    expect(sessions.tokenOf('one')).toBeNull();
    expect(sessions.tokenOf('')).toBeNull();
  });

  it('lives as long as it is used, and ends after a time without use', () => {
    const { sessions, pass } = open();
    const id = sessions.open('token');
    pass(11 * hourMs);
    expect(sessions.tokenOf(id)).toBe('token');
    pass(11 * hourMs);
    expect(sessions.tokenOf(id)).toBe('token');
    pass(13 * hourMs);
    expect(sessions.tokenOf(id)).toBeNull();
    expect(sessions.tokenOf(id)).toBeNull();
  });

  it('ends when it is closed', () => {
    const { sessions } = open();
    const id = sessions.open('token');
    sessions.close(id);
    expect(sessions.tokenOf(id)).toBeNull();
  });

  it('makes room for new ones when there are too many: the one that was not used for longest goes', () => {
    const { sessions } = open();
    const first = sessions.open('first');
    const second = sessions.open('second');
    for (let number = 0; number < 998; number++) sessions.open('more');
    expect(sessions.tokenOf(first)).toBe('first');
    sessions.open('one too many');
    expect(sessions.tokenOf(second)).toBeNull();
    expect(sessions.tokenOf(first)).toBe('first');
  });
});
