/** The daemon under test with its hosts, and what can be asked of it. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import type { FaultPoint } from '../../src/fault-points.js';
import { BackupServiceService } from '../../src/gen/busy/v1/backup_service.js';
import { DaemonServiceService } from '../../src/gen/busy/v1/daemon_service.js';
import { RunKind, type Run } from '../../src/gen/busy/v1/run.js';
import type { Snapshot } from '../../src/gen/busy/v1/snapshot.js';
import {
  SnapshotServiceService,
  type PruneSnapshotsResponse,
} from '../../src/gen/busy/v1/snapshot_service.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { TestBed } from '../helpers/test-bed.js';
import type { Random } from './random.js';
import { SoakHost } from './soak-host.js';

const arm = new URL('../faults/arm.mjs', import.meta.url).href;

/** A step, or with a number its so many-th time. */
export type Fault = FaultPoint | `${FaultPoint}@${number}`;

export class World {
  private constructor(
    readonly bed: TestBed,
    readonly sshd: PrivateSshd,
    readonly hosts: readonly SoakHost[],
  ) {}

  /** Two hosts without anything in their source directories, and a daemon that runs. */
  static async create(random: Random): Promise<World> {
    const bed = await TestBed.create();
    try {
      const sshd = await bed.startSshd();
      const sources = join(bed.directory, 'source');
      const hosts = [SoakHost.make('web1', sources, 1, random), SoakHost.make('web2', sources, 2, random)];
      const world = new World(bed, sshd, hosts);
      await world.configure();
      await bed.startDaemon();
      return world;
    } catch (error) {
      await bed.end();
      throw error;
    }
  }

  /** With a fault it dies as soon as that step is done. */
  async startDaemon(fault?: Fault): Promise<void> {
    await this.bed.startDaemon(
      fault === undefined ? {} : { BUSY_FAULT: fault, NODE_OPTIONS: `--import=${arm}` },
    );
  }

  async configure(): Promise<void> {
    await this.bed.configure(this.hosts.map((host) => this.bed.hostAt(this.sshd, host.settings())));
  }

  /** The settings of the hosts as they are now. */
  async reload(): Promise<void> {
    await this.configure();
    const client = this.bed.info;
    await callMethod(client, DaemonServiceService.reloadConfig, {}).finally(() => client.close());
  }

  async cancel({ id }: Run): Promise<void> {
    const client = this.bed.backups;
    await callMethod(client, BackupServiceService.cancelRun, { id }).finally(() => client.close());
  }

  /** The last backups of a host, newest first. */
  async backupRuns(host: SoakHost): Promise<Run[]> {
    const client = this.bed.backups;
    const request = { host: host.name, pageSize: 50, pageToken: '', states: [] };
    const { runs } = await callMethod(client, BackupServiceService.listRuns, request).finally(() =>
      client.close(),
    );
    return runs.filter(({ kind }) => kind === RunKind.BACKUP);
  }

  /** Oldest first. */
  async listedSnapshots(host: SoakHost): Promise<Snapshot[]> {
    const client = this.bed.snapshots;
    const request = { pageSize: 0, pageToken: '', host: host.name };
    const method = SnapshotServiceService.listSnapshots;
    const { snapshots } = await callMethod(client, method, request).finally(() => client.close());
    return snapshots.toReversed();
  }

  /** Compares all snapshots of a host with their manifests, and answers the run when it has ended. */
  async verify(host: SoakHost): Promise<Run> {
    const client = this.bed.snapshots;
    const request = { host: host.name, name: '', requestId: '' };
    const method = SnapshotServiceService.verifySnapshot;
    const { run } = await callMethod(client, method, request).finally(() => client.close());
    return this.bed.waitForRun(run?.id ?? '');
  }

  async prune(host: SoakHost, dryRun: boolean): Promise<PruneSnapshotsResponse> {
    const client = this.bed.snapshots;
    const request = { host: host.name, dryRun };
    const method = SnapshotServiceService.pruneSnapshots;
    return callMethod(client, method, request).finally(() => client.close());
  }

  /** Read at once, since what is looked for does not wait. */
  executorPids(): number[] {
    const daemon = this.bed.daemonPid();
    const children = readFileSync(`/proc/${daemon}/task/${daemon}/children`, 'utf8').match(/\d+/g) ?? [];
    return children.map(Number).filter(isExecutor);
  }

  directoryOf(host: SoakHost): string {
    return join(this.bed.backupdir, host.name);
  }

  /** Names of everything in the directory of a host, sorted; empty when it is not there yet. */
  entriesOf(host: SoakHost): string[] {
    try {
      return readdirSync(this.directoryOf(host)).sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** Directories of unfinished backups, oldest first. */
  partialsOf(host: SoakHost): string[] {
    const names = this.entriesOf(host).filter((name) => name.startsWith('.partial-'));
    return names.map((name) => join(this.directoryOf(host), name));
  }
}

function isExecutor(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('executor-main');
  } catch {
    // It has ended.
    return false;
  }
}
