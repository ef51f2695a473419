import { describe, expect, it } from 'vitest';
import { readSnapshotWord, resolveSnapshot } from '../../../clients/cli/snapshot-word.js';
import { parseTimeWord } from '../../../clients/cli/time-word.js';

describe('a time on the command line', () => {
  it.each([
    ['2026-11-01 12:00', new Date(2026, 10, 1, 12, 0)],
    ['2026-11-01T12:00:30', new Date(2026, 10, 1, 12, 0, 30)],
    ['2026-11-01', new Date(2026, 10, 1, 23, 59, 59, 999)],
    ['2026-11-01T12:00:00Z', new Date(Date.UTC(2026, 10, 1, 12))],
    ['2026-11-01T12:00:00.25+02:00', new Date(Date.UTC(2026, 10, 1, 10, 0, 0, 250))],
    ['2026-11-01 12:00-03:30', new Date(Date.UTC(2026, 10, 1, 15, 30))],
  ])('%s is read', (text, time) => {
    expect(parseTimeWord('--as-of', text)).toEqual(time);
  });

  it.each(['', 'yesterday', '2026-02-30', '2026-13-01', '2026-11-01 24:00', '2026-11-01Z', '1.11.2026'])(
    '%j is refused',
    (text) => {
      expect(() => parseTimeWord('--as-of', text)).toThrow(expect.objectContaining({ kind: 'usage' }));
    },
  );
});

describe('a snapshot on the command line', () => {
  it('is HOST, HOST/NAME, or two words', () => {
    expect(readSnapshotWord('web1')).toEqual({ host: 'web1', name: '' });
    expect(readSnapshotWord('web1/a')).toEqual({ host: 'web1', name: 'a' });
    expect(readSnapshotWord('web1', 'a')).toEqual({ host: 'web1', name: 'a' });
  });

  it.each([
    ['web1/', undefined],
    ['/a', undefined],
    ['', undefined],
    ['web1/a/b', undefined],
    ['web1/a', 'a'],
  ])('is not %j with %j', (word, given) => {
    expect(() => readSnapshotWord(word, given)).toThrow(expect.objectContaining({ kind: 'usage' }));
  });

  it('is not named beside a time', async () => {
    const connection = { call: () => Promise.reject(new Error('asked')) };
    const word = { host: 'web1', name: 'a' };
    await expect(resolveSnapshot(connection, word, { asOf: '2026-11-01' })).rejects.toMatchObject({
      kind: 'usage',
    });
  });
});
