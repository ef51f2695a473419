import { describe, expect, it } from 'vitest';
import { decideAfterRun, newAlertState, type Decision } from '../../src/core/alerts.js';
import { BusyError } from '../../src/core/errors.js';
import { endedRun, mailHost } from '../helpers/mail-samples.js';

const start = new Date('2026-11-01T12:00:00Z');

function verified(
  reason: 'SNAPSHOT_DAMAGED' | 'SNAPSHOT_CHANGED' | 'EXECUTOR_DIED',
  host = mailHost(),
): Decision {
  const state = {
    ...newAlertState('web1', start, 0),
    failingSince: start,
    failureCount: 2,
    failureToldAt: start,
  };
  const error = new BusyError(reason, {}).toFailure();
  const run = endedRun(3, 'FAILED', start, { kind: 'scrub', error });
  return decideAfterRun(host, state, run, { now: start, newestSnapshotAt: start, daemonStartedAt: start });
}

describe('mail: what a verification finds', () => {
  it('is told each time when data is lost, and says nothing of the backups of the host', () => {
    const { state, alerts } = verified('SNAPSHOT_DAMAGED');
    expect(alerts).toMatchObject([{ kind: 'damaged' }]);
    expect(state).toMatchObject({ failureCount: 2, failingSince: start, untoldRunId: null });
    expect(state.revision).toBeGreaterThan(0);
  });

  it('is not told otherwise, nor to nobody', () => {
    expect(verified('SNAPSHOT_CHANGED').alerts).toEqual([]);
    expect(verified('EXECUTOR_DIED').alerts).toEqual([]);
    expect(verified('SNAPSHOT_DAMAGED', mailHost({}, { to: [] })).alerts).toEqual([]);
  });
});
