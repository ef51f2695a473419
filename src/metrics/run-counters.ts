/** Counts runs as they end, since the start of the daemon. */
import { Counter, type Registry } from 'prom-client';
import { endStates, isActive, allRunKinds, type RunRecord } from '../core/run.js';
import { addStats, noTransfer } from '../core/snapshot.js';
import type { EndedBackup } from './facts.js';

export class RunCounters {
  private readonly ended: Counter<'kind' | 'state'>;
  private readonly newBytes: Counter;
  private readonly newFiles: Counter;
  private readonly receivedBytes: Counter;
  private readonly lastBackups = new Map<string, EndedBackup>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.ended = new Counter({
      name: 'busy_runs_ended_total',
      help: 'Runs that have ended since the daemon was started.',
      labelNames: ['kind', 'state'],
      registers,
    });
    this.newBytes = new Counter({
      name: 'busy_backup_new_bytes_total',
      help: 'Bytes that backups have put on their disks and that take space of their own.',
      registers,
    });
    this.newFiles = new Counter({
      name: 'busy_backup_new_files_total',
      help: 'Files that backups have put on their disks and that take space of their own.',
      registers,
    });
    this.receivedBytes = new Counter({
      name: 'busy_backup_received_bytes_total',
      help: 'Bytes that came from hosts, as rsync sent them.',
      registers,
    });
    // A series that begins with its first event shows no increase.
    for (const kind of allRunKinds) {
      for (const state of endStates) this.ended.inc({ kind, state: state.toLowerCase() }, 0);
    }
  }

  /** Takes a run as it is now; one that has ended must come only once. */
  note(run: RunRecord): void {
    if (isActive(run.state)) return;
    this.ended.inc({ kind: run.kind, state: run.state.toLowerCase() });
    const ended = endOfBackup(run);
    if (ended === null) return;
    this.lastBackups.set(run.host, ended);
    const stats = run.jobs.reduce((sum, job) => addStats(sum, job.stats ?? noTransfer), noTransfer);
    this.newBytes.inc(stats.copiedBytes);
    this.newFiles.inc(stats.copiedFiles);
    this.receivedBytes.inc(stats.receivedBytes);
  }

  /** The newest backup of a host that has ended since the start, or null. */
  lastBackup(host: string): EndedBackup | null {
    return this.lastBackups.get(host) ?? null;
  }
}

/** Null for all else than a backup that has ended. */
export function endOfBackup(run: RunRecord): EndedBackup | null {
  const { kind, state, startedAt, endedAt } = run;
  if (kind !== 'backup' || isActive(state) || endedAt === null) return null;
  return { endedAt, durationMs: startedAt && Math.max(0, endedAt.getTime() - startedAt.getTime()) };
}
