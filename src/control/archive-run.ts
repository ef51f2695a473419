/**
 * The kind `archive`: turns snapshots into archives, one after the other, and removes each from the backup disk once its
 * archive is whole, verified and on record. One that a rule of `core/archive-rules.ts` wants to stay is archived when it
 * was asked for by its name, and stays. At the end, what `archive_keep` does not name is removed.
 */
import { nothingArchived, type ArchiveRecord, type ArchivingRecord } from '../core/archive.js';
import { judgeArchiving, whyStays, type ArchivingFacts } from '../core/archive-rules.js';
import { BusyError, toFailure, type Failure } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { ArchiveResult } from '../core/archive-ports.js';
import type { Progress, RunRecord } from '../core/run.js';
import { isHeld, type SnapshotRecord } from '../core/snapshot.js';
import type { ActiveRun } from './active-run.js';
import { expireArchives } from './archive-keep.js';
import type { KindOfRun, RunEnding, RunReports } from './kind-of-run.js';
import type { LifecycleParts } from './lifecycle-parts.js';
import { stateOfStopped, stoppedBy } from './run-ends.js';

type Parts = Pick<
  LifecycleParts,
  'executor' | 'logs' | 'growth' | 'catalog' | 'clock' | 'scripts' | 'hold' | 'archiving' | 'onError'
>;

export function archiveRun(parts: Parts): KindOfRun {
  const { catalog } = parts;
  return {
    lane: 'archiving',
    isGivenTime: false,
    writesTo: () => null,
    describe: ({ host, snapshot }) =>
      snapshot === null
        ? `archiving of what is old enough of ${host} was asked for`
        : `archiving of ${snapshot} of ${host} was asked for`,
    check: ({ host: name, snapshot, isScheduled }) => {
      const host = catalog.host(name);
      if (host.archivedir === '') throw new BusyError('NO_ARCHIVEDIR', { host: name });
      if (snapshot !== null && isHeld(catalog.snapshot(name, snapshot)))
        throw new BusyError('HELD_NOT_ARCHIVED', { host: name, snapshot });
      if (snapshot === null && !isScheduled) refuseNothing(factsOf(parts, host, catalog.snapshots(name)));
    },
    begin: () => ({ changes: {}, line: 'started' }),
    carryOut: (active, host, reports) => new ArchiveWork(parts, active, host, reports).run(),
  };
}

function factsOf(
  { archiving, clock }: Parts,
  host: Host,
  snapshots: readonly SnapshotRecord[],
): ArchivingFacts {
  return { host, snapshots, failuresInRow: archiving.failuresOf(host.name), now: clock.now() };
}

/** Throws NOTHING_TO_ARCHIVE with the reason that stands against the oldest. */
function refuseNothing(facts: ArchivingFacts): void {
  const verdicts = judgeArchiving(facts);
  if (verdicts.some(({ isDue }) => isDue)) return;
  const oldest = verdicts.at(-1);
  const why = oldest
    ? `of its oldest snapshot ${oldest.snapshot.name} holds: ${oldest.reason}`
    : 'it has no snapshots';
  throw new BusyError('NOTHING_TO_ARCHIVE', { host: facts.host.name, why });
}

/** Whether somebody has asked this run to archive this snapshot. */
export function archivesSnapshot(
  run: RunRecord,
  { host, name }: Pick<SnapshotRecord, 'host' | 'name'>,
): boolean {
  return run.kind === 'archive' && run.host === host && run.snapshot === name;
}

/** When one of these has happened, the next snapshot would fare no better. */
const endsAll = [
  'ARCHIVEDIR_UNUSABLE',
  'ARCHIVE_DISK_FULL',
  'PRE_ARCHIVE_FAILED',
  'CANCELLED',
  'EXECUTOR_DIED',
];

class ArchiveWork {
  private done: ArchivingRecord = nothingArchived;
  private error: Failure | null = null;

  constructor(
    private readonly parts: Parts,
    private readonly active: ActiveRun,
    private readonly host: Host,
    private readonly reports: RunReports,
  ) {}

  async run(): Promise<RunEnding> {
    for (const snapshot of await this.choose()) {
      const result = await this.archive(snapshot);
      const [archive] = result.archives;
      if (result.error) this.error ??= result.error;
      if (archive) await this.take(snapshot, archive, result);
      if (result.error && endsAll.includes(result.error.reason)) break;
    }
    if (!this.active.abort.signal.aborted) await this.expire();
    return this.ending();
  }

  /** Oldest first. */
  private async choose(): Promise<SnapshotRecord[]> {
    const { catalog, archiving } = this.parts;
    const name = this.active.record.snapshot;
    if (name !== null) return [catalog.snapshot(this.host.name, name)];
    const verdicts = judgeArchiving(factsOf(this.parts, this.host, await archiving.onDisk(this.host)));
    for (const { snapshot, reason, isDue } of verdicts.filter(({ isOld }) => isOld).toReversed())
      await this.reports.say(
        `${snapshot.name}: ${isDue ? 'is archived' : 'is not archived'}, since ${reason}`,
      );
    return verdicts.flatMap(({ snapshot, isDue }) => (isDue ? [snapshot] : [])).toReversed();
  }

  /** Never fails because of the executor: that is a result too. */
  private async archive(snapshot: SnapshotRecord): Promise<ArchiveResult> {
    const { executor, logs, growth, scripts } = this.parts;
    const { id: runId } = this.active.record;
    const { host } = this;
    const task = { runId, host, snapshot, scripts: scripts(), logFile: logs.path(runId) };
    const events = {
      onProgress: (progress: Progress): void => this.reports.note({ progress }),
      onLog: (): void => growth.grew(runId),
    };
    try {
      return await executor.archive(task, events, this.active.abort.signal);
    } catch (error) {
      return { archives: [], done: nothingArchived, error: toFailure(error) };
    }
  }

  /** The record first: what is not on record stays on the backup disk, and is found again by the next run. */
  private async take(
    snapshot: SnapshotRecord,
    archive: ArchiveRecord,
    { done }: ArchiveResult,
  ): Promise<void> {
    const { archiving } = this.parts;
    try {
      await archiving.archives.put(archive);
      this.done = {
        ...this.done,
        archived: [...this.done.archived, archive.name],
        entries: this.done.entries + done.entries,
        contentBytes: this.done.contentBytes + done.contentBytes,
        archiveBytes: this.done.archiveBytes + done.archiveBytes,
      };
      const why = await archiving.alone(this.host, () => this.takeAway(snapshot, archive));
      if (why === null) this.done = { ...this.done, removed: [...this.done.removed, snapshot.name] };
      await this.reports.say(
        why === null
          ? `${snapshot.name}: was removed from the backup disk, since ${archive.path} holds it`
          : `${snapshot.name}: stays on the backup disk, since ${why}`,
      );
    } catch (error) {
      this.error ??= toFailure(error);
      await this.reports.say(`${snapshot.name}: ${toFailure(error).message}`);
    }
  }

  /** Judged anew, since backups may have failed and settings may have changed meanwhile. Null: it is gone. */
  private async takeAway(snapshot: SnapshotRecord, { path }: ArchiveRecord): Promise<string | null> {
    const { archiving, hold, catalog } = this.parts;
    await hold.require(this.host.name);
    const isArchived = (await archiving.archives.get(this.host.name, snapshot.name)) !== null;
    if (!isArchived) return 'its archive was removed meanwhile';
    const snapshots = await archiving.onDisk(this.host);
    const known = snapshots.find(({ name }) => name === snapshot.name);
    if (!known) return 'it is not there any more';
    if (known.runId !== snapshot.runId) return 'it is another one by now';
    const why = whyStays(factsOf(this.parts, catalog.host(this.host.name), snapshots), known);
    if (why !== null) return why;
    await archiving.remove({ snapshot: known, reason: `it was archived to ${path}` });
    return null;
  }

  private async expire(): Promise<void> {
    const expired = await expireArchives(this.parts.archiving, this.host, (text) => this.reports.say(text));
    this.done = { ...this.done, expired: expired.removed };
    if (expired.error) this.error ??= expired.error;
  }

  private ending(): RunEnding {
    const { record, stopCause } = this.active;
    const changes = { archiving: this.done };
    if (this.error === null) return { state: 'SUCCEEDED', changes };
    if (this.error.reason === 'CANCELLED') {
      const error =
        stopCause === 'post-backup'
          ? new BusyError('ARCHIVING_FOR_SCRIPT', { host: record.host })
          : stoppedBy(stopCause, record.host);
      return { state: stateOfStopped(stopCause), changes: { ...changes, error: error.toFailure() } };
    }
    const state = this.done.archived.length > 0 ? 'PARTIAL' : 'FAILED';
    return { state, changes: { ...changes, error: this.error } };
  }
}
