import type { Row } from '../one-table.js';
import { fleetSize, measureScheduler, passGoalMs } from '../scheduler-passes.js';
import { percentile } from '../statistics.js';
import type { Section } from './section.js';

const passCount = (isQuick: boolean): number => (isQuick ? 10 : 90);

export const scheduler: Section = {
  name: 'scheduler',
  isLikeAnother: false,
  describe: ({ isQuick }) =>
    `scheduler: ${fleetSize.toLocaleString('en')} hosts, ${passCount(isQuick)} passes, 20 s apart by a clock that is moved by hand`,
  measure: async ({ rounds, isQuick, say, signal }) => {
    const first: number[] = [];
    const following: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      say(`scheduler, round ${round}`);
      const [start = NaN, ...others] = await measureScheduler(passCount(isQuick), signal);
      first.push(start);
      following.push(percentile(others, 50));
    }
    return {
      rows: [row('scheduler pass, p50', following), row('scheduler pass, first', first)],
      absent: [],
      failures: [],
    };
  },
};

function row(what: string, busyd: readonly number[]): Row {
  return { what, unit: 'ms', busyd, others: {}, goals: [{ to: null, limit: passGoalMs }] };
}
