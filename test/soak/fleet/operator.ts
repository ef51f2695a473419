/** What people do with BUSY meanwhile, and what they must be told when it cannot be done. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ArchiveServiceService } from '../../../src/gen/busy/v1/archive_service.js';
import { BackupServiceService } from '../../../src/gen/busy/v1/backup_service.js';
import { RestoreMode } from '../../../src/gen/busy/v1/restore.js';
import { BackupType, type Run } from '../../../src/gen/busy/v1/run.js';
import { RestoreRequest, SnapshotServiceService } from '../../../src/gen/busy/v1/snapshot_service.js';
import { TrashServiceService } from '../../../src/gen/busy/v1/trash_service.js';
import { reasonOf } from '../../helpers/grpc-calls.js';
import { toServer } from '../../helpers/restores.js';
import { digestOf } from '../content.js';
import { Disagreement } from '../disagreement.js';
import type { Random } from '../random.js';
import { describeError, isWithoutAnswer, type FleetApi } from './fleet-api.js';
import type { FleetHost } from './fleet-host.js';
import type { FleetWorld } from './fleet-world.js';
import type { Ledger } from './ledger.js';

/** With these a call may be refused whenever something else happens at the same time. */
const usualRefusals = [
  ['HOST_BUSY', 'RUN_ENDED', 'RUN_NOT_FOUND', 'DAEMON_STOPPING', 'DATABASE_UNAVAILABLE', 'HOST_NOT_HELD'],
  ['SNAPSHOT_NOT_FOUND', 'SNAPSHOT_IN_USE', 'SNAPSHOT_REMOVED', 'NOTHING_TO_VERIFY', 'NOTHING_TO_DRILL'],
  ['NOTHING_TO_ARCHIVE', 'NO_ARCHIVES', 'ARCHIVE_NOT_FOUND', 'RESTORE_SOURCE_MISSING'],
  ['TRASH_ENTRY_NOT_FOUND', 'TRASH_NOT_KEPT', 'TRASH_PLACE_TAKEN', 'SNAPSHOT_GONE', 'DISK_FULL'],
].flat();

/** A file that is restored, and what it must be. */
interface Restored {
  readonly directory: string;
  readonly name: string;
  readonly sum: string;
}

interface Action {
  readonly name: string;
  readonly weight: number;
  /** Answers in words what was asked for; null when there was nothing to ask for. */
  readonly act: (operator: Operator, random: Random, host: FleetHost) => Promise<string | null>;
}

export class Operator {
  /** Runs that somebody asked to stop. */
  readonly cancelled = new Set<string>();
  private readonly restores = new Map<string, Restored>();
  private requests = 0;

  constructor(
    readonly world: FleetWorld,
    readonly api: FleetApi,
    private readonly ledger: Ledger,
    /** Runs that have not ended. */
    readonly activeRuns: () => readonly Run[],
  ) {}

  /** Does one thing of the seed's choice. That it is refused without a fitting reason breaks a promise. */
  async actOnce(random: Random): Promise<void> {
    const action = random.weighted(actions);
    const host = random.pick(this.world.hosts);
    const what = `operator: ${action.name}`;
    try {
      const done = await action.act(this, random, host);
      if (done === null) return;
      this.ledger.count(what);
      this.ledger.note(`${what} ${done}`);
    } catch (error) {
      if (error instanceof Disagreement) throw error;
      if (isWithoutAnswer(error)) return;
      this.ledger.note(`${what} of ${host.name} is refused: ${describeError(error)}`);
      if (!usualRefusals.includes(reasonOf(error)))
        this.ledger.violate(`${what} of ${host.name} was refused: ${describeError(error)}`);
    }
  }

  /** Unique, so that a run that nobody asked for is known by having none. */
  nextRequestId(): string {
    return `soak-${++this.requests}`;
  }

  async trigger(host: FleetHost, type: BackupType): Promise<void> {
    const request = { host: host.name, type, requestId: this.nextRequestId(), acceptChanges: false };
    await this.api.ask(BackupServiceService.triggerBackup, request);
  }

  async restoreOne(host: FleetHost, random: Random): Promise<string | null> {
    const [name, known] = random.pickOrNull([...host.snapshots]) ?? [];
    const line = random.pickOrNull((known?.listing ?? []).filter((entry) => entry.startsWith('file ')));
    const [, , , sum, path] = line?.split(' ') ?? [];
    if (name === undefined || sum === undefined || path === undefined) return null;
    const requestId = this.nextRequestId();
    const directory = join(this.world.restoredDir, requestId);
    mkdirSync(directory);
    const request = RestoreRequest.fromPartial({
      requestId,
      host: host.name,
      snapshot: name,
      paths: [join(host.source.root, path)],
      target: toServer(directory),
      mode: RestoreMode.OVERWRITE,
    });
    this.restores.set(requestId, { directory, name: basename(path), sum });
    await this.api.ask(SnapshotServiceService.restore, request);
    return `${host.name}/${name} ${path}`;
  }

  /** Throws a Disagreement when a restore that succeeded has not brought back what was there. */
  checkRestore({ id, requestId }: Run): void {
    const restored = this.restores.get(requestId);
    if (!restored) return;
    const content = readFileSync(join(restored.directory, restored.name));
    if (digestOf(content) !== restored.sum)
      throw new Disagreement(`run ${id} restored ${restored.name} with another content`);
    rmSync(restored.directory, { recursive: true });
    this.restores.delete(requestId);
  }
}

const actions: readonly Action[] = [
  {
    name: 'trigger',
    weight: 8,
    act: async (operator, random, host) => {
      const type = random.pick([BackupType.AUTO, BackupType.AUTO, BackupType.FULL, BackupType.INCREMENTAL]);
      await operator.trigger(host, type);
      return `${host.name} ${BackupType[type]}`;
    },
  },
  {
    name: 'cancel',
    weight: 3,
    act: async (operator, random) => {
      const run = random.pickOrNull(operator.activeRuns());
      if (run === null) return null;
      operator.cancelled.add(run.id);
      await operator.api.ask(BackupServiceService.cancelRun, { id: run.id });
      return `${run.id} of ${run.host}`;
    },
  },
  {
    name: 'archive',
    weight: 1,
    act: async (operator, random, host) => {
      const name = random.pickOrNull([...host.snapshots.keys()].slice(0, -1));
      if (name === null) return null;
      host.mayGo.add(name);
      const request = { host: host.name, name, requestId: operator.nextRequestId() };
      await operator.api.ask(ArchiveServiceService.archive, request);
      return `${host.name}/${name}`;
    },
  },
  {
    name: 'verify archives',
    weight: 1,
    act: async (operator, _, host) => {
      const request = { host: host.name, name: '', requestId: operator.nextRequestId() };
      await operator.api.ask(ArchiveServiceService.verifyArchive, request);
      return host.name;
    },
  },
  {
    name: 'verify',
    weight: 2,
    act: async (operator, _, host) => {
      const request = { host: host.name, name: '', requestId: operator.nextRequestId() };
      await operator.api.ask(SnapshotServiceService.verifySnapshot, request);
      return host.name;
    },
  },
  {
    name: 'restore a file',
    weight: 3,
    act: (operator, random, host) => operator.restoreOne(host, random),
  },
  {
    name: 'drill',
    weight: 1,
    act: async (operator, _, host) => {
      const request = {
        host: host.name,
        snapshot: '',
        repeatRunId: '',
        requestId: operator.nextRequestId(),
      };
      await operator.api.ask(SnapshotServiceService.drillRestore, request);
      return host.name;
    },
  },
  {
    name: 'delete',
    weight: 1,
    act: async (operator, random, host) => {
      const name = random.pickOrNull([...host.snapshots.keys()].slice(0, -1));
      if (name === null) return null;
      host.mayGo.add(name);
      const request = { host: host.name, name, confirm: `${host.name}/${name}` };
      await operator.api.ask(SnapshotServiceService.deleteSnapshot, request);
      return `${host.name}/${name}`;
    },
  },
  {
    name: 'put back from the trash',
    weight: 1,
    act: async (operator, random) => {
      const list = { pageSize: 0, pageToken: '', host: '' };
      const { entries } = await operator.api.ask(TrashServiceService.listTrash, list);
      const entry = random.pickOrNull(entries);
      if (entry === null) return null;
      await operator.api.ask(TrashServiceService.restoreFromTrash, { id: entry.id });
      return `${entry.host}/${entry.snapshot}`;
    },
  },
  {
    name: 'empty the trash of one',
    weight: 1,
    act: async (operator, random) => {
      const list = { pageSize: 0, pageToken: '', host: '' };
      const { entries } = await operator.api.ask(TrashServiceService.listTrash, list);
      const entry = random.pickOrNull(entries);
      if (entry === null) return null;
      const confirm = `${entry.host}/${entry.snapshot}`;
      await operator.api.ask(TrashServiceService.emptyTrash, { id: entry.id, confirm });
      return confirm;
    },
  },
  {
    name: 'edit the configuration',
    weight: 2,
    act: async ({ world }, random, host) => {
      host.keep(3 + random.below(4));
      await world.configure();
      world.hangUp();
      return `${host.name} keeps ${host.keepLast}`;
    },
  },
];
