/**
 * Settles the runs that a dead daemon left behind: at a start, and when another daemon has died. The disk decides: a
 * run whose snapshot was committed has succeeded, whatever the database had heard by then; any other is INTERRUPTED.
 */
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Clock, RunLogs, RunStore } from '../core/ports.js';
import { statesBefore, type RunRecord } from '../core/run.js';
import type { Catalog } from './catalog.js';
import type { Committed } from './lifecycle-parts.js';
import { endOfCommitted } from './run-ends.js';

export interface RecoveryParts {
  readonly clock: Clock;
  readonly runs: RunStore;
  readonly logs: RunLogs;
  readonly catalog: Catalog;
  readonly nextRevision: () => number;
  readonly findCommitted: (host: Host, runId: string) => Promise<Committed | null>;
}

/** Answers the runs that were settled, as they are now. */
export async function recover(parts: RecoveryParts): Promise<RunRecord[]> {
  const left = await parts.runs.list({ states: ['RUNNING', 'CANCELLING'], isOurs: true });
  const settled: RunRecord[] = [];
  for (const run of left) {
    const now = await settleLeft(parts, run);
    if (now) settled.push(now);
  }
  return settled;
}

/** Settles one run that no daemon carries out any more, and answers it as it is now. */
export async function settleLeft(parts: RecoveryParts, run: RunRecord): Promise<RunRecord | null> {
  await settle(parts, run);
  return parts.runs.get(run.id);
}

async function settle(parts: RecoveryParts, run: RunRecord): Promise<void> {
  const host = parts.catalog.hosts().find(({ name }) => name === run.host);
  const committed = host ? await parts.findCommitted(host, run.id) : null;
  const endedAt = parts.clock.now();
  if (committed) {
    const { snapshot } = committed;
    const jobs = committed.jobs.length > 0 ? committed.jobs : run.jobs;
    await parts.catalog.record(snapshot);
    const { state, error } = endOfCommitted(snapshot, jobs);
    const changes = { endedAt, snapshot: snapshot.name, type: snapshot.type, jobs, error };
    await parts.runs.move(run.id, statesBefore[state], state, parts.nextRevision(), changes);
    await parts.logs.append(run.id, `ended: ${state} (found committed on the disk after a restart)`);
    return;
  }
  const error = new BusyError('DAEMON_DIED').toFailure();
  await parts.runs.move(run.id, statesBefore.INTERRUPTED, 'INTERRUPTED', parts.nextRevision(), {
    endedAt,
    error,
  });
  await parts.logs.append(run.id, `ended: INTERRUPTED (${error.reason}: ${error.message})`);
}
