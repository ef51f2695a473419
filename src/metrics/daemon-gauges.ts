/** The metrics of the daemon as a whole that are looked up when someone asks. */
import { Gauge, type Registry } from 'prom-client';
import { activeStates, allRunKinds } from '../core/run.js';
import type { Facts } from './facts.js';

export class DaemonGauges {
  private readonly build: Gauge<'version' | 'node'>;
  private readonly runs: Gauge<'kind' | 'state'>;
  private readonly disks: readonly (readonly [
    Gauge<'directory' | 'use'>,
    (disk: Facts['disks'][number]) => number,
  ])[];
  private readonly single: readonly (readonly [Gauge, (facts: Facts) => number | null])[];

  constructor(registry: Registry) {
    const registers = [registry];
    const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
    const ofDisk = (name: string, help: string): Gauge<'directory' | 'use'> =>
      new Gauge({ name, help, labelNames: ['directory', 'use'], registers });
    this.build = new Gauge({
      name: 'busy_build_info',
      help: 'Always 1; the labels say which BUSY runs on which Node.js.',
      labelNames: ['version', 'node'],
      registers,
    });
    this.runs = new Gauge({
      name: 'busy_runs',
      help: 'Runs that have not ended.',
      labelNames: ['kind', 'state'],
      registers,
    });
    this.disks = [
      [
        ofDisk('busy_disk_size_bytes', 'Size of the file system that holds a directory of BUSY.'),
        ({ room }) => room.total.bytes,
      ],
      [ofDisk('busy_disk_free_bytes', 'Bytes that are free there for BUSY.'), ({ room }) => room.free.bytes],
      [
        ofDisk('busy_disk_inodes', 'Entries of its table of files; 0 where it makes them as it needs them.'),
        ({ room }) => room.total.inodes,
      ],
      [ofDisk('busy_disk_free_inodes', 'Of these the free ones.'), ({ room }) => room.free.inodes],
    ];
    this.single = [
      [
        gauge('busy_start_time_seconds', 'When the daemon was started (Unix time).'),
        ({ startedAt }) => startedAt.getTime() / 1000,
      ],
      [gauge('busy_hosts', 'Hosts that are in the hands of this daemon.'), ({ hosts }) => hosts.length],
      [
        gauge('busy_queue_length', 'Runs of all kinds that wait for their turn.'),
        ({ runs }) => runs.filter(({ state }) => state === 'QUEUED').length,
      ],
      [
        gauge('busy_max_running', 'How many backups may run at the same time.'),
        ({ maxRunning }) => maxRunning,
      ],
      [
        gauge(
          'busy_transfer_bytes_per_second',
          'What all runs together move at the moment, in bytes of contents.',
        ),
        ({ runs }) => runs.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0),
      ],
      [gauge('busy_executors', 'Executor processes that are alive.'), ({ executors }) => executors],
      [
        gauge('busy_database_up', 'Whether the database can be used.'),
        ({ isDatabaseUp }) => (isDatabaseUp ? 1 : 0),
      ],
      [
        gauge(
          'busy_mail_outbox_length',
          'Mails that wait to be sent. Absent while the database does not say.',
        ),
        ({ mailCount }) => mailCount,
      ],
      [
        gauge(
          'busy_oldest_unverified_timestamp_seconds',
          'Since when the bytes of every snapshot with a manifest have been read and compared, at the latest (Unix time).',
        ),
        ({ verification: { oldest } }) => oldest && oldest.since.getTime() / 1000,
      ],
      [
        gauge('busy_unverifiable_snapshots', 'Snapshots without a manifest, which cannot be verified.'),
        ({ verification }) => verification.unverifiable,
      ],
      [
        gauge('busy_damaged_snapshots', 'Snapshots with files that are known to be damaged or missing.'),
        ({ verification }) => verification.damaged,
      ],
    ];
  }

  /** Makes the gauges say this and nothing else. */
  fill(facts: Facts): void {
    this.build.set({ version: facts.version, node: process.versions.node }, 1);
    for (const kind of allRunKinds) {
      for (const state of activeStates) {
        const count = facts.runs.filter((run) => run.kind === kind && run.state === state).length;
        this.runs.set({ kind, state: state.toLowerCase() }, count);
      }
    }
    for (const [gauge, valueOf] of this.disks) {
      gauge.reset();
      for (const disk of facts.disks) gauge.set({ directory: disk.directory, use: disk.use }, valueOf(disk));
    }
    for (const [gauge, valueOf] of this.single) {
      const value = valueOf(facts);
      if (value === null) gauge.remove();
      else gauge.set(value);
    }
  }
}
