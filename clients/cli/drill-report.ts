/** What there is to say of restore drills, in words for people. */
import type { Host } from '../../src/gen/busy/v1/host_service.js';
import { RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { formatAge, formatBytes, formatCount } from './human-format.js';
import type { Cell, Fact } from './output.js';
import { tookText } from './progress-line.js';
import { runStateCell } from './states.js';

export function drillFacts(run: Run, now: Date): Fact[] {
  const { drill } = run;
  const from = drill?.isFromArchive === true ? ', from its archive' : '';
  const snapshot = ['Snapshot', run.snapshot === '' ? '-' : `${run.snapshot}${from}`] as const;
  if (drill === undefined) return [snapshot, ['Took', tookText(run, now)]];
  return [
    snapshot,
    ['Restored', `${formatCount(drill.files)} files, ${formatBytes(drill.bytes)}`],
    ['Entries', formatCount(drill.entries)],
    ['Speed', `${formatBytes(drill.bytesPerSecond)}/s`],
    ['Differences', formatCount(drill.differenceCount)],
    ...(drill.commandEnd === '' ? [] : [['Command', drill.commandEnd] as const]),
    ['Took', tookText(run, now)],
  ];
}

/** When a restore of a host was last proven, and how the last drill ended if that was another one. */
export function proofCell({ restoreProof, lastDrill }: Host, now: Date): Cell {
  if (isBad(lastDrill)) return { text: `FAILED ${formatAge(lastDrill?.endedAt, now)}`, colour: 'red' };
  return restoreProof === undefined ? '-' : formatAge(restoreProof.endedAt, now);
}

export function proofFacts({ restoreProof, lastDrill }: Host, now: Date): Fact[] {
  const speed = formatBytes(restoreProof?.drill?.bytesPerSecond ?? 0);
  const proof =
    restoreProof === undefined
      ? 'never; see: busy drill'
      : `${formatAge(restoreProof.endedAt, now)}, from ${restoreProof.snapshot} at ${speed}/s`;
  const facts: Fact[] = [['Restore proven', proof]];
  if (lastDrill === undefined || lastDrill.id === restoreProof?.id) return facts;
  return [...facts, ['Last drill', runStateCell(lastDrill.state)]];
}

function isBad(run: Run | undefined): boolean {
  return run?.state === RunState.FAILED;
}
