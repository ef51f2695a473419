import { expect, test } from 'vitest';
import { formatOneTable, judgeRow, type Row } from '../../bench/one-table.js';

const row: Row = {
  what: 'full, small',
  unit: 's',
  busyd: [2, 3, 10],
  others: { 'rsync -a': [4, 4, 4], borg: [1, 3, 5] },
  goals: [
    { to: 'rsync -a', limit: 0.8 },
    { to: 'borg', limit: 1.9 },
    { to: 'restic', limit: 1 },
    { to: null, limit: 3, isAtLeast: true },
  ],
};

test('a ratio is the median of the ratios of each round, and not that of the medians', () => {
  const { median, ratios, verdicts } = judgeRow(row);
  expect(median).toBe(3);
  expect(ratios).toEqual({
    'rsync -a': { median: 0.75, min: 0.5, max: 2.5 },
    borg: { median: 2, min: 1, max: 2 },
  });
  expect(verdicts.map(({ isMet }) => isMet)).toEqual([true, false, null, true]);
});

test('whoever is missing is named in the table, where others are compared', () => {
  const alone: Row = { ...row, what: 'scheduler pass', unit: 'ms', others: {}, goals: [] };
  const tarred: Row = { ...row, what: 'archive', others: { 'tar czf': [2, 3, 10] }, goals: [] };
  const restic = { name: 'restic', remedy: 'apt-get install restic' };
  const text = formatOneTable([row, alone, tarred].map(judgeRow), ['rsync -a', 'borg', 'restic'], [restic]);
  const cells = text.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
  expect(cells[2]?.slice(4, 8)).toEqual(['~0.75', '~2.00', 'not here', '']);
  expect(cells[3]?.slice(2, 8)).toEqual(['3.0 ms', '', '', '', '', '']);
  expect(cells[4]?.slice(4, 8)).toEqual(['', '', '', 'tar czf 1.00']);
  expect(text.split('\n').at(-1)).toBe('Not here: restic (apt-get install restic).');
});

test('whoever failed is named with the first thing that it said, and its cells say so', () => {
  const failing: Row = { ...row, others: { borg: [1, 3, 5] }, failed: ['rsync -a'] };
  const failure = { name: 'rsync -a', at: 'small, full', why: 'rsync ended with code 12: no space' };
  const text = formatOneTable([judgeRow(failing)], ['rsync -a', 'borg'], [], [failure]);
  expect(text.split('\n')[2]?.split('|')[4]?.trim()).toBe('failed');
  expect(text).toContain('≤ 0.8 rsync -a: not measured');
  expect(text.split('\n').at(-1)).toBe('failed: rsync -a (small, full): rsync ended with code 12: no space');
});

test('goals and verdicts stand there in words', () => {
  const text = formatOneTable([judgeRow(row)], [], []);
  expect(text).toContain('≤ 0.8 rsync -a: met; ≤ 1.9 borg: **missed**; ≤ 1 restic: not measured; ≥ 3: met');
});

test('whoever takes part in the first round only is compared in it, and marked', () => {
  const once: Row = { ...row, others: { 'rsync -a': [4, 4, 4], borg: [1] }, onlyInFirstRound: ['borg'] };
  const judged = judgeRow(once);
  expect(judged.ratios['borg']).toEqual({ median: 2, min: 2, max: 2 });
  const lines = formatOneTable([judged], ['rsync -a', 'borg'], []).split('\n');
  expect(
    lines[2]
      ?.split('|')
      .slice(4, 6)
      .map((cell) => cell.trim()),
  ).toEqual(['~0.75', '2.00¹']);
  expect(lines.at(-1)).toBe('¹ measured in the first round only.');
  const alone = formatOneTable([judgeRow({ ...once, busyd: [2], others: { borg: [1] } })], ['borg'], []);
  expect(alone).not.toContain('¹');
});

test('rounds that one contestant lacks are no ratio', () => {
  expect(() => judgeRow({ ...row, others: { borg: [1] } })).toThrow(
    'borg was measured 1 times, BUSY 3 times',
  );
});
