/** How the conditions of hosts are shown, and which come first. */
import { HostCondition, type Host } from '../../../gen/busy/v1/host_service_pb.js';
import type { Tone } from '../../parts/states.js';
import { dateOf } from '../../format/units.js';

/** In a word, and how much it matters. */
export const conditions: Readonly<Record<HostCondition, { readonly word: string; readonly tone: Tone }>> = {
  [HostCondition.UNSPECIFIED]: { word: 'unknown', tone: 'quiet' },
  [HostCondition.FAILING]: { word: 'failing', tone: 'bad' },
  [HostCondition.HELD]: { word: 'held', tone: 'bad' },
  [HostCondition.LATE]: { word: 'late', tone: 'bad' },
  [HostCondition.PARTIAL]: { word: 'files missing', tone: 'doubtful' },
  [HostCondition.NEW]: { word: 'no snapshot yet', tone: 'doubtful' },
  [HostCondition.GOOD]: { word: 'good', tone: 'good' },
};

/** Whether somebody should look after it. */
export function needsAttention({ condition }: Host): boolean {
  return conditions[condition].tone === 'bad';
}

/** What needs attention first, and of these the host whose newest snapshot is oldest. */
export function byUrgency(a: Host, b: Host): number {
  return a.condition - b.condition || newestTime(a) - newestTime(b) || (a.name < b.name ? -1 : 1);
}

function newestTime(host: Host): number {
  return dateOf(host.newestSnapshot?.startedAt)?.getTime() ?? 0;
}
