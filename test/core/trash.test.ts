import { describe, expect, test } from 'vitest';
import { goesAt, parseTrashName, trashName, whyPrecious, wordFor } from '../../src/core/trash.js';
import { sampleSnapshot } from '../rpc/samples.js';

const id = '01KB0000000000000000000000';
const heldFor = [{ code: 'SHRUNK', source: '/etc', message: 'it has shrunk' }] as const;

describe('the name of a directory in the trash', () => {
  test('tells its id and its snapshot', () => {
    const name = trashName(id, '2026-11-22_20-00-05f');
    expect(name).toBe(`.trash-${id}-2026-11-22_20-00-05f`);
    expect(parseTrashName(name)).toEqual({ id, snapshot: '2026-11-22_20-00-05f' });
  });

  test.each([
    '2026-11-22_20-00-05f',
    '.partial-2026-11-22_20-00-05f',
    `.trash-${id}-etc`,
    `.trash-${id}-2026-11-22_20-00-05f.json`,
    `.trash-${id.toLowerCase()}-2026-11-22_20-00-05f`,
    `.trash-8${id.slice(1)}-2026-11-22_20-00-05f`,
    '.trash-2026-11-22_20-00-05f',
  ])('is not %s', (name) => {
    expect(parseTrashName(name)).toBeNull();
  });
});

test('what people call it', () => {
  expect(wordFor({ host: 'web1', snapshot: '2026-11-22_20-00-05f' })).toBe('web1/2026-11-22_20-00-05f');
  expect(wordFor({ host: 'web1', snapshot: '' })).toBe('web1');
});

test('it goes after so many whole days', () => {
  const putAt = new Date('2026-11-22T20:00:05.123Z');
  expect(goesAt({ putAt }, 7)).toEqual(new Date('2026-11-29T20:00:05.123Z'));
});

describe('a host should not be without', () => {
  const partial = { outcome: 'PARTIAL' } as const;
  const all = [
    { ...sampleSnapshot('web1', '2026-11-05_20-00-05i'), heldFor },
    { ...sampleSnapshot('web1', '2026-11-04_20-00-05i'), ...partial },
    { ...sampleSnapshot('web1', '2026-11-03_20-00-05i'), ...partial },
    { ...sampleSnapshot('web1', '2026-11-02_20-00-05i'), heldFor },
    { ...sampleSnapshot('web1', '2026-11-01_20-00-05f'), outcome: 'SUCCEEDED' as const },
    sampleSnapshot('web1', '2026-10-31_20-00-05f'),
  ];

  test('its newest good snapshot, the newest without missing files, and one that is held', () => {
    expect(all.map((snapshot) => whyPrecious(all, snapshot))).toEqual([
      'a held snapshot',
      'the newest good snapshot',
      null,
      null,
      'the newest snapshot without missing files',
      null,
    ]);
  });
});
