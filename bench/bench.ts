/**
 * `npm run bench`: BUSY beside what people use today, in one table. Exit codes: 0 measured, 1 failed, 2 wrong usage.
 */
import { describeMachine, formatMachine } from './machine.js';
import { formatOneTable, judgeRow } from './one-table.js';
import { runBenchmark } from './options.js';
import { peerNames, type Absence } from './peers/all-peers.js';
import type { Row } from './one-table.js';
import type { Section } from './sections/section.js';
import { archive } from './sections/archive.js';
import { control } from './sections/control.js';
import { expiry } from './sections/expiry.js';
import { scheduler } from './sections/scheduler.js';
import { large, many, mixed, small } from './sections/trees.js';

const sections: readonly Section[] = [large, small, many, mixed, archive, expiry, control, scheduler];

await runBenchmark({ defaultRounds: 3, sections: sections.map(({ name }) => name) }, async (options) => {
  const { rounds, isQuick, isJson, only } = options;
  const machine = await describeMachine();
  const usual = isQuick ? sections.filter(({ isLikeAnother }) => !isLikeAnother) : sections;
  const chosen = only === null ? usual : sections.filter(({ name }) => only.includes(name));
  const rows: Row[] = [];
  const absent = new Map<string, Absence>();
  for (const section of chosen) {
    options.signal.throwIfAborted();
    const result = await section.measure(options);
    rows.push(...result.rows);
    for (const one of result.absent) absent.set(one.name, one);
  }
  const judged = rows.map(judgeRow);
  if (isJson) return JSON.stringify({ machine, rounds, rows: judged, absent: [...absent.values()] }, null, 2);
  return [
    formatMachine(machine),
    `Median of ${rounds} rounds. Numbers below names: time of BUSY divided by theirs, so below 1 BUSY is faster.`,
    ...chosen.map((section) => `- ${section.describe(isQuick)}`),
    '',
    formatOneTable(judged, peerNames, [...absent.values()]),
  ].join('\n');
});
