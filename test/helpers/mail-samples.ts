/** Runs, hosts and snapshots for the tests of mail; give only what the test is about. */
import type { Host, MailPolicy } from '../../src/core/host.js';
import { BusyError } from '../../src/core/errors.js';
import type { RunRecord } from '../../src/core/run.js';
import type { SnapshotRecord } from '../../src/core/snapshot.js';
import { runId, sampleRun, sampleSnapshot } from '../store/samples.js';
import { sampleHost } from './sample-host.js';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

export const policy: MailPolicy = {
  to: ['root'],
  when: 'on_change',
  includesPartial: true,
  reminderMs: 3 * dayMs,
};

export function mailHost(changes: Partial<Host> = {}, mail: Partial<MailPolicy> = {}): Host {
  return sampleHost({ alertAfter: 7, ...changes, mail: { ...policy, ...mail } });
}

/** A run that has ended; its number is also its revision. */
export function endedRun(
  number: number,
  state: RunRecord['state'],
  endedAt: Date,
  changes: Partial<RunRecord> = {},
): RunRecord {
  const isBad = state !== 'SUCCEEDED';
  const error = isBad ? new BusyError('DISK_FULL', { detail: 'no space left' }).toFailure() : null;
  const startedAt = new Date(endedAt.getTime() - 10 * minuteMs);
  return sampleRun(number, { id: runId(number), state, endedAt, startedAt, error, ...changes });
}

export function snapshotAt(startedAt: Date, changes: Partial<SnapshotRecord> = {}): SnapshotRecord {
  return sampleSnapshot('2026-11-21_20-00-05i', { startedAt, ...changes });
}
