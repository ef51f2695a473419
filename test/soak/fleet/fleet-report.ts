/** What a soak of the fleet has seen, for people. */
import type { Peaks } from './footprint.js';

export interface FleetReport {
  readonly minutes: number;
  readonly backupsDone: number;
  /** How runs ended, and how often. */
  readonly endings: ReadonlyMap<string, number>;
  /** How often each fault and each action of the operator was carried out. */
  readonly faults: ReadonlyMap<string, number>;
  readonly snapshotsMade: number;
  readonly snapshotsGone: number;
  readonly snapshotsCompared: number;
  readonly linesRead: number;
  /** The longest that a host took to be backed up once all was well. */
  readonly slowestMs: number;
  readonly peaks: Peaks;
  readonly found: readonly string[];
}

export function describeReport(report: FleetReport): string {
  const { peaks } = report;
  return [
    `${report.minutes.toFixed(1)} minutes, ${report.backupsDone} backups`,
    'Faults and actions:',
    ...counted(report.faults),
    'Runs:',
    ...counted(report.endings),
    `Snapshots: ${report.snapshotsMade} made and compared with their sources, ${report.snapshotsGone} removed by rule or by ` +
      `the operator, older ones compared ${report.snapshotsCompared} times`,
    `Every host was backed up within ${(report.slowestMs / 1000).toFixed(0)} s after the last fault`,
    `${report.linesRead} lines of logs were followed`,
    `The daemon had at most ${(peaks.rssBytes / 2 ** 20).toFixed(0)} MiB, ${peaks.descriptors} open files and ` +
      `${peaks.children} child processes`,
    ...report.found,
  ].join('\n');
}

function counted(counts: ReadonlyMap<string, number>): string[] {
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `  ${String(count).padStart(5)}  ${name}`);
}
