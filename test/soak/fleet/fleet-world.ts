/** The daemon under test with its fleet, its disk, its database and its clock. */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Mutex } from 'async-mutex';
import type { PrivateSshd } from '../../../clients/quickstart/private-sshd.js';
import { runCommand } from '../../helpers/run-command.js';
import { mountSmallDisk, type SmallDisk } from '../../helpers/small-disk.js';
import { TestBed } from '../../helpers/test-bed.js';
import type { Random } from '../random.js';
import { Disagreement } from '../disagreement.js';
import { DaemonLogs } from './daemon-logs.js';
import { FleetDatabase, type DatabaseKind } from './fleet-database.js';
import { FleetHost } from './fleet-host.js';

const clockHook = new URL('clock.mjs', import.meta.url).href;
const hostsPerSshd = 5;
export const maxRunning = 6;
const executors = 3;
const startTries = 5;
const restartMs = 500;
export const diskSize = '600m';

export interface WorldOptions {
  readonly hosts: number;
  readonly database: DatabaseKind;
}

export class FleetWorld {
  /** Who stops, kills or starts the daemon, or waits for what only one that runs can do. */
  readonly daemonTurn = new Mutex();
  /** Whoever writes the configuration. */
  private readonly configTurn = new Mutex();
  readonly logs: DaemonLogs;
  isUp = false;
  /** Nothing is done by schedule. */
  isPaused = false;
  /** Milliseconds by which the daemon's clock is wrong, since when, and how often it went back. */
  clockShiftMs = 0;
  clockSetAtMs = -Infinity;
  clockSetBackCount = 0;
  private isEnding = false;

  private constructor(
    readonly bed: TestBed,
    readonly hosts: readonly FleetHost[],
    readonly sshds: readonly PrivateSshd[],
    readonly database: FleetDatabase,
    readonly disk: SmallDisk,
  ) {
    this.logs = new DaemonLogs(join(bed.directory, 'busyd.log'));
  }

  /** Everything but the daemon. */
  static async create(options: WorldOptions, random: Random): Promise<FleetWorld> {
    const bed = await TestBed.create();
    const disk = await mountSmallDisk(bed.backupdir, diskSize);
    const database = await FleetDatabase.start(options.database);
    try {
      for (const name of ['archive', 'restored']) await mkdir(join(bed.directory, name));
      const sshds: PrivateSshd[] = [];
      const hosts: FleetHost[] = [];
      for (let number = 1; number <= options.hosts; number++) {
        // What the user's shell does when it starts is none of the soak's business: killed there, it may leave locks behind.
        if ((number - 1) % hostsPerSshd === 0) sshds.push(await bed.startSshd({ home: bed.directory }));
        const sshd = sshds.at(-1);
        if (sshd) hosts.push(await FleetHost.make(bed.directory, number, sshd, random));
      }
      const world = new FleetWorld(bed, hosts, sshds, database, disk);
      await world.setClock(0);
      await world.configure();
      return world;
    } catch (error) {
      await database.end();
      await disk.unmount();
      await bed.end();
      throw error;
    }
  }

  get archivedir(): string {
    return join(this.bed.directory, 'archive');
  }

  get restoredDir(): string {
    return join(this.bed.directory, 'restored');
  }

  directoryOf(host: FleetHost): string {
    return join(this.bed.backupdir, host.name);
  }

  /** What the daemon's clock says. */
  now(): Date {
    return new Date(Date.now() + this.clockShiftMs);
  }

  async setClock(shiftMs: number): Promise<void> {
    const file = this.clockFile;
    await writeFile(`${file}.new`, String(shiftMs));
    await rename(`${file}.new`, file);
    if (shiftMs < this.clockShiftMs) this.clockSetBackCount += 1;
    this.clockShiftMs = shiftMs;
    this.clockSetAtMs = performance.now();
  }

  async configure(): Promise<void> {
    await this.configTurn.runExclusive(async () => {
      const hosts = this.hosts.map((host) =>
        this.bed.hostAt(host.sshd, host.settings(this.isPaused, this.archivedir)),
      );
      const { url } = this.database;
      await this.bed.configure(hosts, {
        max_running: maxRunning,
        executors,
        takeover_after: '30s',
        stop_grace: '5s',
        ...(url === null ? {} : { database: url }),
      });
    });
  }

  /** Takes the configuration over in the way of old; the log says what comes of it. */
  hangUp(): void {
    if (this.isUp) process.kill(this.bed.daemonPid(), 'SIGHUP');
  }

  /** No daemon is started any more. */
  endsSoon(): void {
    this.isEnding = true;
  }

  /** As a service manager does: tries again while what the daemon needs is not there. Within `daemonTurn`. */
  async startDaemon(): Promise<void> {
    for (let left = startTries; !this.isEnding; left--) {
      try {
        await this.bed.startDaemon({
          BUSY_SOAK_CLOCK: this.clockFile,
          NODE_OPTIONS: `--import=${clockHook}`,
        });
        this.isUp = true;
        return;
      } catch (error) {
        this.logs.keep(this.bed.daemonLog());
        await delay(restartMs);
        if (this.databaseIsAway()) left += 1;
        if (left === 0) throw new Disagreement(`the daemon does not start: ${String(error)}`);
      }
    }
  }

  private databaseIsAway(): boolean {
    return !this.database.isUp || performance.now() - this.database.changedAtMs < 5000;
  }

  /** Within `daemonTurn`. */
  async stopDaemon(signal: NodeJS.Signals): Promise<number | null> {
    this.isUp = false;
    const code = await this.bed.stopDaemon(signal);
    this.logs.keep(this.bed.daemonLog());
    return code;
  }

  /**
   * Ends and removes everything; with `remains` what lies on the disks is moved there. What cannot be ended keeps
   * nothing else from its end; throws the first of these errors.
   */
  async end(remains: string | null): Promise<void> {
    for (const { link } of this.hosts) link.goOn();
    const steps = [
      () => this.stopDaemon(remains === null ? 'SIGTERM' : 'SIGKILL'),
      ...this.hosts.map(
        ({ link }) =>
          () =>
            link.end(),
      ),
      ...this.sshds.map((sshd) => () => sshd.stop()),
      () => this.database.end(),
      ...(remains === null ? [] : [() => this.keep(remains)]),
      () => this.disk.unmount(),
      () => this.bed.end(),
    ];
    const errors: unknown[] = [];
    for (const step of steps) await step().catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw errors[0];
  }

  private async keep(remains: string): Promise<void> {
    await rm(remains, { recursive: true, force: true });
    const names = (await readdir(this.bed.directory)).filter((name) => !/^(?:sshd-|backups$)/.test(name));
    await mkdir(remains, { recursive: true });
    await copy(this.bed.backupdir, join(remains, 'backups'));
    for (const name of names) await copy(join(this.bed.directory, name), join(remains, name));
  }

  private get clockFile(): string {
    return join(this.bed.directory, 'clock');
  }
}

/** With hard links, and names that are no UTF-8. */
async function copy(from: string, to: string): Promise<void> {
  const { code, stderr } = await runCommand('cp', ['-a', from, to]);
  if (code !== 0) throw new Error(`what is left could not be kept: ${stderr}`);
}
