/** What must be true when the faults are over: first that every host is backed up, then that nothing is left over. */
import { setTimeout as delay } from 'node:timers/promises';
import { DaemonServiceService } from '../../../src/gen/busy/v1/daemon_service.js';
import { RunState } from '../../../src/gen/busy/v1/run.js';
import { runPids } from '../../helpers/run-processes.js';
import { Disagreement } from '../disagreement.js';
import type { DiskObserver } from './disk-observer.js';
import type { FleetApi } from './fleet-api.js';
import type { FleetWorld } from './fleet-world.js';
import { footprintOf, type Footprint } from './footprint.js';
import { describeLate } from './late-hosts.js';
import type { Ledger } from './ledger.js';
import type { RunObserver } from './run-observer.js';
import type { Subscribers } from './subscribers.js';

const lookEveryMs = 250;
const settleLimitMs = 120_000;
const tellLimitMs = 20_000;
/** By so many open files may the daemon have more than when it was calm first. */
const moreDescriptors = 40;
const mostChildren = 8;

export interface CalmParts {
  readonly world: FleetWorld;
  readonly api: FleetApi;
  readonly ledger: Ledger;
  readonly runs: RunObserver;
  readonly disk: DiskObserver;
  readonly subscribers: Subscribers;
  /** How long every host may take to be backed up once all is well. */
  readonly backInMs: number;
}

export class Calm {
  /** The longest that a host took to be backed up once all was well. */
  slowestMs = 0;
  private first: Footprint | null = null;

  constructor(
    private readonly parts: CalmParts,
    /** Settles after each look of the observers. */
    private readonly nextLook: () => Promise<void>,
  ) {}

  /** Waits until every host has been backed up well by schedule since now. */
  async untilAllBackedUp(): Promise<void> {
    const { world, api, runs, backInMs, ledger } = this.parts;
    const startedMs = performance.now();
    const late = (): string[] =>
      world.hosts.map(({ name }) => name).filter((name) => (runs.lastGoodMs.get(name) ?? 0) < startedMs);
    while (late().length > 0) {
      if (performance.now() - startedMs > backInMs)
        throw new Disagreement(
          `${backInMs / 1000} s after the last fault these are not backed up: ${late().join(' ')}\n    ${await describeLate(api, late())}`,
        );
      await this.nextLook();
    }
    const tookMs = performance.now() - startedMs;
    this.slowestMs = Math.max(this.slowestMs, tookMs);
    ledger.note(`every host is backed up, ${(tookMs / 1000).toFixed(0)} s after the last fault`);
  }

  /** Lets nothing be done by schedule, waits for the end of what is under way, and looks at what is left. */
  async checkQuiet(): Promise<void> {
    const { world, runs, disk, ledger } = this.parts;
    await this.pause(true);
    await this.until('all runs to end', () => runs.activeRuns.map(({ id }) => id));
    const endedMs = performance.now();
    await this.until('the directories of the hosts to be swept', () => this.leftOnDisk());
    for (const host of world.hosts) disk.checkCalm(host);
    await this.until('the processes of the runs to end', async () =>
      (await runPids(world.bed, ...world.sshds)).map(String),
    );
    await this.checkTold();
    await this.checkRecords();
    this.checkFootprint();
    world.logs.check(world.bed.daemonLog());
    for (const host of world.hosts) {
      host.leastKept = host.keepLast;
      host.source.forgetBefore(endedMs);
    }
    ledger.note(`it is quiet, and all is in order: ${JSON.stringify(footprintOf(world.bed.daemonPid()))}`);
  }

  /** One who follows all runs must have been told of each end. */
  private async checkTold(): Promise<void> {
    const { runs, subscribers, ledger } = this.parts;
    const untold = (): string[] =>
      runs.all.filter(({ id, state }) => subscribers.endings.get(id) !== state).map(({ id }) => id);
    const limitMs = performance.now() + tellLimitMs;
    while (untold().length > 0 && performance.now() < limitMs) await this.nextLook();
    for (const { id, host, state } of runs.all) {
      if (subscribers.endings.get(id) === state) continue;
      ledger.violate(`the subscriber was not told that run ${id} of ${host} is ${RunState[state]}`);
      subscribers.endings.set(id, state);
    }
  }

  async resume(): Promise<void> {
    await this.pause(false);
  }

  /** The records name exactly the snapshots that are on the disk. */
  async checkRecords(): Promise<void> {
    const { world, api } = this.parts;
    const mismatch = async (): Promise<string[]> => {
      const recorded = (await api.snapshots()).map(({ host, name }) => `${host}/${name}`);
      const present = world.hosts.flatMap((host) =>
        [...host.snapshots.keys()].map((name) => `${host.name}/${name}`),
      );
      return [
        ...present.filter((one) => !recorded.includes(one)).map((one) => `not recorded: ${one}`),
        ...recorded.filter((one) => !present.includes(one)).map((one) => `not there: ${one}`),
      ];
    };
    await this.until('records and disk to agree', mismatch);
  }

  private leftOnDisk(): string[] {
    const { world, disk } = this.parts;
    return world.hosts.flatMap((host) =>
      disk
        .entriesOf(host)
        .filter((name) => /^\.(?:partial|removed|drill|restore|download)-/.test(name))
        .map((name) => `${host.name}/${name}`),
    );
  }

  private checkFootprint(): void {
    const now = footprintOf(this.parts.world.bed.daemonPid());
    if (!now) throw new Disagreement('the daemon has ended by itself');
    this.first ??= now;
    if (now.descriptors > this.first.descriptors + moreDescriptors || now.children > mostChildren)
      throw new Disagreement(
        `when nothing goes on the daemon has ${JSON.stringify(now)}, at first ${JSON.stringify(this.first)}`,
      );
  }

  private async pause(isPaused: boolean): Promise<void> {
    const { world, api } = this.parts;
    world.isPaused = isPaused;
    await world.configure();
    await api.ask(DaemonServiceService.reloadConfig, {});
  }

  /** Waits until nothing is in the way any more. */
  private async until(
    what: string,
    inTheWay: () => readonly string[] | Promise<readonly string[]>,
  ): Promise<void> {
    const limitMs = performance.now() + settleLimitMs;
    for (;;) {
      await this.nextLook();
      const left = await inTheWay();
      if (left.length === 0) return;
      if (performance.now() > limitMs)
        throw new Disagreement(`waited in vain for ${what}: ${left.slice(0, 10).join(' ')}`);
      await delay(lookEveryMs);
    }
  }
}
