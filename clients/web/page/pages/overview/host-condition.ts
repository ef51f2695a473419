/** How a host is, in one word, and how much that matters. */
import { RunState, type Run } from '../../../gen/busy/v1/run_pb.js';
import type { Host } from '../../../gen/busy/v1/host_service_pb.js';

export type Condition = 'failing' | 'held' | 'partial' | 'never' | 'running' | 'good';

/** The first is what needs attention most. */
const order: readonly Condition[] = ['failing', 'held', 'partial', 'never', 'running', 'good'];

export function conditionOf(host: Host, running: Run | undefined): Condition {
  if (host.heldSnapshot) return 'held';
  const last = host.lastRun?.state;
  if (last === RunState.FAILED || last === RunState.INTERRUPTED) return 'failing';
  if (last === RunState.PARTIAL) return 'partial';
  if (running) return 'running';
  return host.newestSnapshot ? 'good' : 'never';
}

export function byCondition(a: Condition, b: Condition): number {
  return order.indexOf(a) - order.indexOf(b);
}
