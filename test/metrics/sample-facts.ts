/** Facts for the tests of metrics. */
import { noTransfer } from '../../src/core/snapshot.js';
import type { Facts, HostFacts } from '../../src/metrics/facts.js';

export const startedAt = new Date('2026-11-26T10:00:00.500Z');

export function sampleHostFacts(changes: Partial<HostFacts> = {}): HostFacts {
  return {
    name: 'web1',
    condition: 'held',
    failuresInRow: 2,
    snapshotCount: 31,
    newest: {
      startedAt: new Date('2026-11-26T09:00:00Z'),
      stats: {
        ...noTransfer,
        fileCount: 1200,
        totalBytes: 5_000_000_000,
        copiedFiles: 7,
        copiedBytes: 70_000,
      },
    },
    ageLimitDays: 2,
    lastBackup: { endedAt: new Date('2026-11-26T09:10:00Z'), durationMs: 61_500 },
    restoreProvenAt: new Date('2026-11-20T02:00:00Z'),
    ...changes,
  };
}

export const sampleFacts: Facts = {
  version: '0.1.0',
  startedAt,
  runs: [
    { kind: 'backup', state: 'RUNNING', bytesPerSecond: 1000 },
    { kind: 'backup', state: 'RUNNING', bytesPerSecond: 500 },
    { kind: 'backup', state: 'QUEUED', bytesPerSecond: 0 },
    { kind: 'verify-archive', state: 'QUEUED', bytesPerSecond: 0 },
  ],
  maxRunning: 4,
  executors: 2,
  disks: [
    {
      directory: '/srv/"odd"\\\nbackup',
      use: 'backup',
      room: { free: { bytes: 10, inodes: 5 }, total: { bytes: 100, inodes: 50 } },
    },
  ],
  isDatabaseUp: true,
  mailCount: 3,
  verification: {
    oldest: { host: 'web1', snapshot: '2026-11-22_20-00-05f', since: new Date('2026-11-22T21:00:00Z') },
    unverifiable: 1,
    damaged: 0,
  },
  hosts: [
    sampleHostFacts(),
    sampleHostFacts({
      name: 'new1',
      condition: 'new',
      failuresInRow: 0,
      snapshotCount: 0,
      newest: null,
      ageLimitDays: Infinity,
      lastBackup: null,
      restoreProvenAt: null,
    }),
  ],
};
