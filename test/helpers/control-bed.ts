/**
 * The control plane over a real database and real log files in a scratch directory, with a clock and an executor
 * that the test moves by hand. `reopen` is what a restart of the daemon is to it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser } from '../../src/control/browser.js';
import { Catalog } from '../../src/control/catalog.js';
import { soleDaemon } from '../../src/control/host-claims.js';
import { LogGrowth } from '../../src/control/log-stream.js';
import { RunEvents } from '../../src/control/run-events.js';
import type { LifecycleParts } from '../../src/control/lifecycle-parts.js';
import { RunLifecycle } from '../../src/control/run-lifecycle.js';
import type { Clock, RunStore, SnapshotStore } from '../../src/core/ports.js';
import { isActive, type JobRecord, type RunRecord } from '../../src/core/run.js';
import type { SnapshotRecord } from '../../src/core/snapshot.js';
import { ArchiveDisks } from '../../src/execute/archive-disks.js';
import { createBrowsePlaces } from '../../src/execute/browse-places.js';
import { browse } from '../../src/execute/browse-thread.js';
import { openDatabase, type Database } from '../../src/store/data-source.js';
import { openRunLogs } from '../../src/store/run-log.js';
import { createArchiveStore } from '../../src/store/archives.js';
import { createRunStore } from '../../src/store/runs.js';
import { createSnapshotStore } from '../../src/store/snapshots.js';
import { FakeExecutor } from './fake-executor.js';
import { noScripts, sampleHost } from './sample-host.js';

export class ManualClock implements Clock {
  private ms = Date.UTC(2026, 10, 22, 20, 0, 5);

  now(): Date {
    return new Date(this.ms);
  }

  advance(ms: number): void {
    this.ms += ms;
  }
}

export interface ControlStores {
  readonly runs: RunStore;
  readonly snapshots: SnapshotStore;
}

interface ControlBedOptions {
  readonly hosts?: readonly string[];
  readonly maxRunning?: number;
  /** Stands between the control plane and its stores. */
  readonly between?: (stores: ControlStores) => ControlStores;
  /** Replaces parts of the lifecycle. */
  readonly parts?: Partial<LifecycleParts>;
}

type Parts = Omit<LifecycleParts, 'executor'> & { readonly executor: FakeExecutor };

export class ControlBed {
  /** Snapshots that are on the disk, whatever the database knows. */
  readonly onDisk: SnapshotRecord[] = [];
  /** What each of them says of its jobs. */
  readonly jobsOnDisk: JobRecord[] = [];
  /** What the lifecycle could tell nobody. */
  readonly errors: unknown[] = [];

  private constructor(
    readonly clock: ManualClock,
    readonly parts: Parts,
    readonly lifecycle: RunLifecycle,
    readonly snapshots: SnapshotStore,
    private readonly database: Database,
    private readonly directory: string,
  ) {}

  static async open(options: ControlBedOptions = {}): Promise<ControlBed> {
    return ControlBed.openIn(await mkdtemp(join(tmpdir(), 'busy-control-')), options);
  }

  private static async openIn(directory: string, options: ControlBedOptions): Promise<ControlBed> {
    const clock = new ManualClock();
    const database = await openDatabase({ kind: 'sqlite', path: join(directory, 'busy.db') });
    const stores = { runs: createRunStore(database), snapshots: createSnapshotStore(database) };
    const { runs, snapshots } = options.between?.(stores) ?? stores;
    const hosts = (options.hosts ?? ['web1']).map((name) => sampleHost({ name }));
    const catalog = new Catalog(hosts, snapshots);
    await catalog.load();
    const events = new RunEvents(runs, clock);
    await events.start();
    const parts: Parts = {
      clock,
      runs,
      catalog,
      browser: new Browser({
        catalog,
        hold: soleDaemon,
        places: createBrowsePlaces(new ArchiveDisks()),
        browse,
      }),
      hold: soleDaemon,
      executor: new FakeExecutor(),
      logs: await openRunLogs(directory, clock),
      events,
      growth: new LogGrowth(),
      limits: { total: options.maxRunning ?? 4, perDisk: options.maxRunning ?? 4 },
      lookFor: () => Promise.resolve({ isOnline: true, reason: '' }),
      diskOf: (host) => Promise.resolve(host.backupdir),
      scripts: () => noScripts,
      quietDisk: () => Promise.resolve(),
      ownDirectories: () => ['/srv/backup'],
      secretPlaces: () => ['/state/keys'],
      space: { admit: () => Promise.resolve(null), release: () => {} },
      archiving: {
        archives: createArchiveStore(database),
        archiveDisk: { remove: () => Promise.resolve(null), list: () => Promise.resolve([]) },
        audit: { note: () => Promise.resolve() },
        onDisk: ({ name }) => Promise.resolve(catalog.snapshots(name)),
        failuresOf: (host) => bed.lifecycle.failuresAgainstExpiry(host),
        alone: (_, work) => work(),
        remove: ({ snapshot }) => catalog.forget(snapshot),
      },
      findCommitted: (host, runId) => {
        const snapshot = bed.onDisk.find((found) => found.host === host.name && found.runId === runId);
        return Promise.resolve(snapshot ? { snapshot, jobs: bed.jobsOnDisk } : null);
      },
      onError: (_, error) => void bed.errors.push(error),
    };
    const lifecycle = new RunLifecycle({ ...parts, ...options.parts });
    const bed: ControlBed = new ControlBed(clock, parts, lifecycle, snapshots, database, directory);
    return bed;
  }

  /** Waits until a run has ended. */
  async ended(runId: string): Promise<RunRecord> {
    const stop = new AbortController();
    try {
      const options = { afterRevision: 1, host: null, runId };
      for await (const { run } of this.parts.events.watch(options, stop.signal)) {
        if (!isActive(run.state)) return run;
      }
    } finally {
      stop.abort();
    }
    throw new Error('the watch ended before the run did');
  }

  /** The lines of a run's log, without their times. */
  async log(runId: string): Promise<string[]> {
    const { lines } = await this.parts.logs.read(runId, 0, true);
    return lines.map((line) => line.slice(line.indexOf(' ') + 1));
  }

  /** The same state directory as another daemon finds it after this one is gone. */
  async reopen(options: ControlBedOptions = {}): Promise<ControlBed> {
    await this.database.close();
    return ControlBed.openIn(this.directory, options);
  }

  async close(): Promise<void> {
    await this.database.close();
    await rm(this.directory, { recursive: true, force: true });
  }
}
