/** The text, from facts that are known. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { afterEach, describe, expect, it } from 'vitest';
import { hostConditions } from '../../src/core/host-condition.js';
import { noTransfer } from '../../src/core/snapshot.js';
import { waitingJob } from '../../src/core/run.js';
import type { Facts } from '../../src/metrics/facts.js';
import { Metrics } from '../../src/metrics/metrics.js';
import { parsePrometheusText, valueOf, type Family } from '../helpers/prometheus-text.js';
import { sampleRun } from '../rpc/samples.js';
import { sampleFacts, sampleHostFacts } from './sample-facts.js';

const started: Metrics[] = [];
afterEach(() => started.splice(0).forEach((metrics) => metrics.stop()));

function metricsOf(lookUp: () => Facts = () => sampleFacts): Metrics {
  const metrics = new Metrics(async () => lookUp());
  started.push(metrics);
  metrics.start();
  return metrics;
}

async function read(metrics: Metrics): Promise<ReadonlyMap<string, Family>> {
  return parsePrometheusText(await metrics.text());
}

/** How many lines a daemon with so many hosts answers. */
async function sizeOf(count: number): Promise<number> {
  const hosts = Array.from({ length: count }, (_, index) => sampleHostFacts({ name: `host${index}` }));
  const families = await read(metricsOf(() => ({ ...sampleFacts, hosts })));
  return [...families.values()].reduce((sum, { samples }) => sum + samples.length, 0);
}

describe('the metrics', () => {
  it('say of a host what is known, and nothing where nothing is', async () => {
    const families = await read(metricsOf());
    const ofHost = (host: string): Record<string, number | undefined> =>
      Object.fromEntries(
        [...families.keys()]
          .filter((name) => name.startsWith('busy_host_') && name !== 'busy_host_condition')
          .map((name) => [name.slice('busy_host_'.length), valueOf(families, name, { host })]),
      );
    expect(ofHost('web1')).toEqual({
      newest_snapshot_timestamp_seconds: Date.parse('2026-11-26T09:00:00Z') / 1000,
      snapshot_age_limit_seconds: 172_800,
      newest_snapshot_files: 1200,
      newest_snapshot_bytes: 5_000_000_000,
      newest_snapshot_new_files: 7,
      newest_snapshot_new_bytes: 70_000,
      snapshots: 31,
      failures_in_row: 2,
      last_backup_end_timestamp_seconds: Date.parse('2026-11-26T09:10:00Z') / 1000,
      last_backup_duration_seconds: 61.5,
      last_restore_proof_timestamp_seconds: Date.parse('2026-11-20T02:00:00Z') / 1000,
    });
    const known = Object.entries(ofHost('new1')).filter(([, value]) => value !== undefined);
    expect(known).toEqual([
      ['snapshots', 0],
      ['failures_in_row', 0],
    ]);
    for (const condition of hostConditions) {
      const isIt = valueOf(families, 'busy_host_condition', { host: 'web1', condition });
      expect(isIt).toBe(condition === 'held' ? 1 : 0);
    }
  });

  it('say how the daemon is', async () => {
    let facts = sampleFacts;
    const metrics = metricsOf(() => facts);
    const before = await read(metrics);
    for (const [name, labels, value] of [
      ['busy_build_info', { version: '0.1.0', node: process.versions.node }, 1],
      ['busy_start_time_seconds', {}, Date.parse('2026-11-26T10:00:00.500Z') / 1000],
      ['busy_hosts', {}, 2],
      ['busy_runs', { kind: 'backup', state: 'running' }, 2],
      ['busy_runs', { kind: 'verify-archive', state: 'queued' }, 1],
      ['busy_runs', { kind: 'drill', state: 'running' }, 0],
      ['busy_queue_length', {}, 2],
      ['busy_max_running', {}, 4],
      ['busy_transfer_bytes_per_second', {}, 1500],
      ['busy_executors', {}, 2],
      ['busy_disk_size_bytes', { directory: '/srv/"odd"\\\nbackup', use: 'backup' }, 100],
      ['busy_disk_free_bytes', { use: 'backup' }, 10],
      ['busy_disk_inodes', { use: 'backup' }, 50],
      ['busy_disk_free_inodes', { use: 'backup' }, 5],
      ['busy_database_up', {}, 1],
      ['busy_mail_outbox_length', {}, 3],
      ['busy_oldest_unverified_timestamp_seconds', {}, Date.parse('2026-11-22T21:00:00Z') / 1000],
      ['busy_unverifiable_snapshots', {}, 1],
      ['busy_damaged_snapshots', {}, 0],
    ] as const)
      expect([name, valueOf(before, name, labels)]).toEqual([name, value]);
    expect(valueOf(before, 'busy_memory_bytes')).toBeGreaterThan(1e6);
    expect(valueOf(before, 'busy_cpu_seconds_total')).toBeGreaterThan(0);
    expect(valueOf(before, 'busy_event_loop_lag_max_seconds')).toBeGreaterThanOrEqual(0);

    const verification = { oldest: null, unverifiable: 0, damaged: 0 };
    facts = { ...sampleFacts, runs: [], disks: [], isDatabaseUp: false, mailCount: null, verification };
    const after = await read(metrics);
    expect(valueOf(after, 'busy_runs', { kind: 'backup', state: 'running' })).toBe(0);
    expect(valueOf(after, 'busy_database_up')).toBe(0);
    for (const gone of [
      'busy_disk_free_bytes',
      'busy_mail_outbox_length',
      'busy_oldest_unverified_timestamp_seconds',
    ])
      expect(valueOf(after, gone)).toBeUndefined();
  });

  it('count runs at their end', async () => {
    const metrics = metricsOf();
    expect(valueOf(await read(metrics), 'busy_runs_ended_total', { kind: 'drill', state: 'failed' })).toBe(0);
    const stats = { ...noTransfer, copiedBytes: 100, copiedFiles: 3, receivedBytes: 50 };
    const jobs = [1, 2].map((number) => ({ ...waitingJob(number, '/etc'), stats }));
    const endedAt = new Date(1_795_000_003_500);
    metrics.noteRun(sampleRun(1, { state: 'RUNNING' }));
    metrics.noteRun(sampleRun(1, { state: 'PARTIAL', jobs, endedAt }));
    metrics.noteRun(sampleRun(2, { kind: 'drill', state: 'FAILED', endedAt }));
    const families = await read(metrics);
    expect(valueOf(families, 'busy_runs_ended_total', { kind: 'backup', state: 'partial' })).toBe(1);
    expect(valueOf(families, 'busy_runs_ended_total', { kind: 'drill', state: 'failed' })).toBe(1);
    expect(valueOf(families, 'busy_backup_new_bytes_total')).toBe(200);
    expect(valueOf(families, 'busy_backup_new_files_total')).toBe(6);
    expect(valueOf(families, 'busy_backup_received_bytes_total')).toBe(100);
    expect(metrics.lastBackup('web1')).toEqual({ endedAt, durationMs: 2500 });
    expect(metrics.lastBackup('db1')).toBeNull();
  });

  it('count calls by method and code; only those with one answer by duration', async () => {
    const metrics = metricsOf();
    const call = { method: '/busy.v1.HostService/ListHosts', code: 'OK', durationMs: 20, isStream: false };
    metrics.noteCall(call);
    metrics.noteCall({ ...call, code: 'NOT_FOUND', durationMs: 2000 });
    metrics.noteCall({ ...call, method: '/busy.v1.BackupService/WatchRuns', isStream: true });
    const families = await read(metrics);
    const method = 'busy.v1.HostService/ListHosts';
    expect(valueOf(families, 'busy_grpc_calls_total', { method, code: 'NOT_FOUND' })).toBe(1);
    expect(valueOf(families, 'busy_grpc_calls_total', { code: 'OK', method })).toBe(1);
    const within = (le: string): number | undefined =>
      valueOf(families, 'busy_grpc_call_duration_seconds_bucket', { method, le });
    expect([within('0.01'), within('0.03'), within('1'), within('3'), within('+Inf')]).toEqual([
      0, 1, 1, 2, 2,
    ]);
    expect(
      families
        .get('busy_grpc_call_duration_seconds')
        ?.samples.some(({ labels }) => labels.method?.endsWith('WatchRuns')),
    ).toBe(false);
  });

  it('are written once for all who ask together', async () => {
    let asked = 0;
    const metrics = metricsOf(() => {
      asked += 1;
      return sampleFacts;
    });
    const [one, other] = await Promise.all([metrics.text(), metrics.text()]);
    expect(one).toBe(other);
    expect(asked).toBe(1);
  });

  it('have names of their own, since node_exporter has its process_ and node_ in the same answer', async () => {
    const names = [...(await read(metricsOf())).keys()];
    expect(names.length).toBeGreaterThan(35);
    expect(names.filter((name) => !name.startsWith('busy_'))).toEqual([]);
  });

  it('have 17 lines a host at most', async () => {
    expect((await sizeOf(30)) - (await sizeOf(20))).toBeLessThanOrEqual(170);
  });
});

describe('what is made from metrics', () => {
  it.each([
    ['config/grafana-dashboard.json', 20],
    ['config/prometheus-alerts.yml', 3],
  ])('%s asks only for metrics that there are', async (file, least) => {
    const metrics = metricsOf();
    metrics.noteCall({ method: '/a.B/C', code: 'OK', durationMs: 1, isStream: false });
    const families = await read(metrics);
    // Whether a scrape succeeded is told by Prometheus itself.
    const known = new Set([
      'up',
      ...[...families.values()].flatMap(({ samples }) => samples.map(({ name }) => name)),
    ]);
    const text = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8');
    const expressions = expressionsIn(parse(text));
    expect(expressions.length).toBeGreaterThanOrEqual(least);
    const named = expressions.flatMap((expression) =>
      metricsIn(expression).map((name) => [name, expression]),
    );
    expect(named.length).toBeGreaterThanOrEqual(expressions.length);
    expect(named.filter(([name = '']) => !known.has(name))).toEqual([]);
  });

  it('finds a name that is wrong', () => {
    expect(
      metricsIn('sum by (le) (rate(busy_nothing_total{code!~"OK"}[5m])) > 0 or on(host) wrong == 1'),
    ).toEqual(['busy_nothing_total', 'wrong']);
  });
});

/** Every text under a key `expr`. */
function expressionsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'expr' && typeof inner === 'string' ? [inner] : expressionsIn(inner),
  );
}

/** The metrics that a query reads: words that are neither functions, operators, labels, texts nor durations. */
function metricsIn(query: string): string[] {
  const bare = query
    .replace(/"(?:[^"\\]|\\.)*"/g, ' ')
    .replace(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replace(/\boffset\s+\w+/g, ' ');
  const words = [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\w*\s*\()\b/g)].map(([word]) => word);
  return words.filter((word) => !['and', 'or', 'unless', 'bool', 'sum'].includes(word));
}
