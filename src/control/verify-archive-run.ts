/** The kind `verify-archive`: reads archives of a host back in full. */
import { nothingArchived, type ArchiveRecord } from '../core/archive.js';
import { BusyError, toFailure } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { ArchiveResult } from '../core/archive-ports.js';
import type { Progress } from '../core/run.js';
import type { ActiveRun } from './active-run.js';
import type { KindOfRun, RunEnding, RunReports } from './kind-of-run.js';
import type { LifecycleParts } from './lifecycle-parts.js';
import { stateOfStopped, stoppedBy } from './run-ends.js';

type Parts = Pick<LifecycleParts, 'executor' | 'logs' | 'growth' | 'archiving'>;

export function verifyArchiveRun(parts: Parts): KindOfRun {
  return {
    lane: 'archiving',
    isGivenTime: false,
    writesTo: () => null,
    describe: ({ host, snapshot }) =>
      `verification of ${snapshot === null ? `all archives of ${host}` : `the archive of ${snapshot} of ${host}`} was asked for`,
    check: () => {},
    begin: () => ({ changes: {}, line: 'started' }),
    carryOut: async (active, host, reports) => {
      const archives = await targetsOf(parts, host, active.record.snapshot);
      const result = await carryOutVerification(parts, { active, host, archives }, reports);
      for (const archive of result.archives) await keep(parts, host, archive);
      return endingOf(active, result);
    },
  };
}

/** One that was deleted, or made anew, while it was read stays as it is on record now. */
async function keep({ archiving }: Parts, host: Host, found: ArchiveRecord): Promise<void> {
  await archiving.alone(host, async () => {
    const known = await archiving.archives.get(host.name, found.name);
    if (known?.path !== found.path || known.runId !== found.runId) return;
    // What else is known of it may have changed.
    const { verifiedAt, damage } = found;
    await archiving.archives.put({ ...known, verifiedAt, damage });
  });
}

/** Oldest first. Throws ARCHIVE_NOT_FOUND or NO_ARCHIVES. */
async function targetsOf(
  { archiving }: Parts,
  { name: host }: Host,
  snapshot: string | null,
): Promise<ArchiveRecord[]> {
  const all = await archiving.archives.list({ host });
  if (snapshot === null && all.length === 0) throw new BusyError('NO_ARCHIVES', { host });
  if (snapshot === null) return all.toReversed();
  const found = all.find(({ name }) => name === snapshot);
  if (!found) throw new BusyError('ARCHIVE_NOT_FOUND', { host, snapshot });
  return [found];
}

/** Never fails because of the executor: that is a result too. */
async function carryOutVerification(
  { executor, logs, growth }: Parts,
  work: { readonly active: ActiveRun; readonly host: Host; readonly archives: readonly ArchiveRecord[] },
  reports: RunReports,
): Promise<ArchiveResult> {
  const { active, host, archives } = work;
  const { id: runId } = active.record;
  const events = {
    onProgress: (progress: Progress): void => reports.note({ progress }),
    onLog: (): void => growth.grew(runId),
  };
  try {
    const task = { runId, host, archives, logFile: logs.path(runId) };
    return await executor.verifyArchives(task, events, active.abort.signal);
  } catch (error) {
    return { archives: [], done: nothingArchived, error: toFailure(error) };
  }
}

function endingOf({ record, stopCause }: ActiveRun, { archives, done, error }: ArchiveResult): RunEnding {
  const archiving = { ...nothingArchived, ...done, archived: archives.map(({ name }) => name) };
  if (error === null) return { state: 'SUCCEEDED', changes: { archiving } };
  if (error.reason !== 'CANCELLED') return { state: 'FAILED', changes: { archiving, error } };
  const why = stoppedBy(stopCause, record.host).toFailure();
  return { state: stateOfStopped(stopCause), changes: { archiving, error: why } };
}
