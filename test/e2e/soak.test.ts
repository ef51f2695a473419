/** A short soak, once with a seed that never changes and once with another each time; `npm run soak:model` is the long one. */
import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { soak } from '../soak/soak-run.js';

/** Each crash and each restart takes the start of a daemon, which a busy machine makes long. */
const slow = { timeout: 300_000 };

test.each([4, randomInt(2 ** 31)])('no disagreement with the model: seed %i', slow, async (seed) => {
  const report = await soak({
    seed,
    steps: 15,
    isOver: () => false,
    onStep: () => {},
    keepsRemains: false,
  });
  expect(report.steps).toBe(15);
  // At least the last backup of each host, which were then compared again.
  expect(report.snapshotsMade).toBeGreaterThanOrEqual(2);
  expect(report.snapshotsCompared).toBeGreaterThanOrEqual(2);
});
