/**
 * The metrics of hosts in Prometheus's text format. They are written here and not by prom-client: with a thousand hosts
 * these are 17,000 lines, for which its gauges hold up the event loop several times as long.
 */
import { hostConditions } from '../core/host-condition.js';
import type { HostFacts } from './facts.js';

interface HostMetric {
  readonly name: string;
  readonly help: string;
  /** Null: there is nothing to say of this host. */
  readonly valueOf: (host: HostFacts) => number | null;
}

const dayMs = 86_400_000;

const metrics: readonly HostMetric[] = [
  {
    name: 'busy_host_newest_snapshot_timestamp_seconds',
    help: 'When the newest snapshot that is not held was started (Unix time). Absent before the first.',
    valueOf: ({ newest }) => newest && seconds(newest.startedAt.getTime()),
  },
  {
    name: 'busy_host_snapshot_age_limit_seconds',
    help: 'With a newest snapshot older than this the host is late. Absent where the settings of the host promise nothing.',
    valueOf: ({ ageLimitDays }) => (Number.isFinite(ageLimitDays) ? seconds(ageLimitDays * dayMs) : null),
  },
  {
    name: 'busy_host_newest_snapshot_files',
    help: 'Entries in the newest snapshot that is not held.',
    valueOf: ({ newest }) => newest && newest.stats.fileCount,
  },
  {
    name: 'busy_host_newest_snapshot_bytes',
    help: 'Bytes of the files in the newest snapshot that is not held.',
    valueOf: ({ newest }) => newest && newest.stats.totalBytes,
  },
  {
    name: 'busy_host_newest_snapshot_new_files',
    help: 'Files in the newest snapshot that take space of their own.',
    valueOf: ({ newest }) => newest && newest.stats.copiedFiles,
  },
  {
    name: 'busy_host_newest_snapshot_new_bytes',
    help: 'Bytes in the newest snapshot that take space of their own.',
    valueOf: ({ newest }) => newest && newest.stats.copiedBytes,
  },
  {
    name: 'busy_host_snapshots',
    help: 'Snapshots of the host that are on its backup disk.',
    valueOf: ({ snapshotCount }) => snapshotCount,
  },
  {
    name: 'busy_host_failures_in_row',
    help: 'How many of the last backups failed, one after the other.',
    valueOf: ({ failuresInRow }) => failuresInRow,
  },
  {
    name: 'busy_host_last_backup_end_timestamp_seconds',
    help: 'When the last backup of the host ended, however it did (Unix time).',
    valueOf: ({ lastBackup }) => lastBackup && seconds(lastBackup.endedAt.getTime()),
  },
  {
    name: 'busy_host_last_backup_duration_seconds',
    help: 'How long the last backup that has ended ran, however it ended.',
    valueOf: ({ lastBackup }) =>
      lastBackup && lastBackup.durationMs !== null ? seconds(lastBackup.durationMs) : null,
  },
  {
    name: 'busy_host_last_restore_proof_timestamp_seconds',
    help: 'When a drill last proved that a restore works (Unix time). Absent before the first.',
    valueOf: ({ restoreProvenAt }) => restoreProvenAt && seconds(restoreProvenAt.getTime()),
  },
];

const condition = 'busy_host_condition';

/** Whole lines, a piece for each metric: between two of them other work may be done. */
export function* hostTexts(hosts: readonly HostFacts[]): Generator<string> {
  const labels = hosts.map(({ name }) => `host="${escapeLabel(name)}"`);
  for (const { name, help, valueOf } of metrics) {
    let text = `# HELP ${name} ${help}\n# TYPE ${name} gauge\n`;
    for (const [index, host] of hosts.entries()) {
      const value = valueOf(host);
      if (value !== null) text += `${name}{${labels[index]}} ${value}\n`;
    }
    yield text;
  }
  yield `# HELP ${condition} 1 for the condition that the host is in, 0 for all others.\n# TYPE ${condition} gauge\n`;
  for (const [index, host] of hosts.entries()) {
    yield hostConditions
      .map((one) => `${condition}{${labels[index]},condition="${one}"} ${one === host.condition ? 1 : 0}\n`)
      .join('');
  }
}

function seconds(ms: number): number {
  return ms / 1000;
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
