import { describe, expect, it } from 'vitest';
import { judgePresence, type Answer } from '../../src/core/presence.js';

const answers: Readonly<Record<string, Answer>> = {
  pinned: { kind: 'pinned key' },
  other: { kind: 'another key', shown: 'key SHA256:abc' },
  ssh: { kind: 'ssh' },
  nothing: { kind: 'nothing' },
  unknown: { kind: 'no address' },
};

describe('a host whose addresses answer', () => {
  it.each([
    ['pinned', true, 'it answers at a'],
    ['nothing pinned', true, 'it answers at b'],
    ['other pinned', true, 'it answers at b'],
    ['ssh pinned', true, 'it answers at b'],
    ['other ssh', true, 'it answers at b'],
    ['ssh', true, 'it answers at a'],
    // Installed anew, or an attack: its backup says so at once.
    ['other', true, 'another machine answers at a (key SHA256:abc)'],
    [
      'other other',
      true,
      'another machine answers at a (key SHA256:abc); another machine answers at b (key SHA256:abc)',
    ],
    // On the move, and its old address has another owner.
    ['other nothing', false, 'another machine answers at a (key SHA256:abc); no SSH server answers at b'],
    ['unknown nothing', false, 'the name a cannot be resolved; no SSH server answers at b'],
    ['nothing', false, 'no SSH server answers at a'],
  ])('%s', (kinds, isOnline, reason) => {
    const found = kinds.split(' ').map((kind, index) => ({
      address: 'abc'[index] ?? '',
      answer: answers[kind] ?? { kind: 'nothing' as const },
    }));
    expect(judgePresence(found)).toEqual({ isOnline, reason });
  });
});
