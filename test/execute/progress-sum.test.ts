import { expect, test } from 'vitest';
import { ProgressSum, type DiskProgress } from '../../src/execute/progress-sum.js';

test('progress is told after many entries, many bytes or some time, and nothing of it twice', () => {
  const told: DiskProgress[] = [];
  let now = 0;
  const sum = new ProgressSum(
    (progress) => told.push(progress),
    () => now,
  );
  for (let entry = 0; entry < 1500; entry++) sum.add({ entries: 1, bytes: 10, current: `/${entry}` });
  expect(told).toEqual([{ entries: 1000, bytes: 10_000, current: '/999' }]);
  sum.add({ entries: 0, bytes: 5_000_000, current: '/large' });
  expect(told[1]).toEqual({ entries: 500, bytes: 5_005_000, current: '/large' });
  now = 49;
  sum.add({ entries: 1, bytes: 0, current: '/slow' });
  now = 50;
  sum.add({ entries: 1, bytes: 0, current: '/slower' });
  expect(told[2]).toEqual({ entries: 2, bytes: 0, current: '/slower' });
  sum.add({ entries: 1, bytes: 1, current: '/last' });
  sum.tellAll();
  expect(told.slice(3)).toEqual([{ entries: 1, bytes: 1, current: '/last' }]);
});
