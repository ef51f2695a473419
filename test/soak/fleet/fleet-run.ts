/** The soak of a fleet: storms of faults, and between them a calm in which everything must come to order. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from '../../helpers/grpc-calls.js';
import { Disagreement } from '../disagreement.js';
import { Random } from '../random.js';
import { Calm, type CalmParts } from './calm.js';
import { DiskObserver } from './disk-observer.js';
import { FleetApi, isWithoutAnswer } from './fleet-api.js';
import type { DatabaseKind } from './fleet-database.js';
import { FleetWorld } from './fleet-world.js';
import { footprintOf, Peaks } from './footprint.js';
import { checkAtEnd } from './last-checks.js';
import { Ledger } from './ledger.js';
import { Operator } from './operator.js';
import { aborted, settlesWithin, sleep } from './patience.js';
import { describeFailure, Interrupted } from './fleet-failure.js';
import type { FleetReport } from './fleet-report.js';
import { RunObserver } from './run-observer.js';
import { Storm } from './storm.js';
import { Subscribers } from './subscribers.js';

export interface FleetOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly hosts: number;
  readonly database: DatabaseKind;
  /** Ends the soak at once when it is aborted; the checks of the end are left out. */
  readonly signal: AbortSignal;
  /** Takes each line of the story. */
  readonly onLine: (line: string) => void;
  /** Takes a line about how far it is, now and then. */
  readonly onProgress: (line: string) => void;
  /** Takes what was wrong, what came before, and how it is reproduced, before anything is ended. */
  readonly onFailure: (told: string) => void;
  /** Leave everything on the disk after a violation, for a look. */
  readonly keepsRemains: boolean;
}

const stormMs = 140_000;
/** Every host has its next time within three minutes, and failures in a row may make it wait for two. */
const backInMs = 300_000;
const lookEveryMs = 400;
/** So long nobody may answer when all is well. */
const longestSilenceMs = 60_000;
const progressEveryMs = 30_000;
/** So long it may take to end all that was started. */
const tearDownMs = 60_000;
/** So many different streams of decisions, each by its own number. */
const streams = { world: 0, storm: 1, sources: 2, operator: 3, looks: 4, subscribers: 5 } as const;

/** Answers null when a promise was broken, after `onFailure` was told of it. */
export async function soakFleet(options: FleetOptions): Promise<FleetReport | null> {
  const ledger = new Ledger(options.onLine);
  const world = await FleetWorld.create(options, new Random(options.seed, streams.world));
  const soak = new FleetSoak(world, options, ledger);
  const end = async (remains: string | null): Promise<void> => {
    const ended = soak.end().then(() => world.end(remains));
    if (!(await settlesWithin(tearDownMs, ended)))
      throw new Disagreement(`not all had ended after ${tearDownMs / 1000} s`);
    await ended;
  };
  try {
    const report = await soak.run();
    await end(null);
    return report;
  } catch (error) {
    const isInterrupted = error instanceof Interrupted && ledger.violations.length === 0;
    const remains =
      options.keepsRemains && !isInterrupted ? join(tmpdir(), `busy-soak-${options.seed}`) : null;
    if (!isInterrupted) options.onFailure(describeFailure(error, options, ledger, remains));
    await end(remains).catch((again: unknown) => options.onProgress(String(again)));
    return isInterrupted ? soak.report([error.message]) : null;
  }
}

class FleetSoak {
  private readonly api: FleetApi;
  private readonly runs: RunObserver;
  private readonly disk: DiskObserver;
  private readonly operator: Operator;
  private readonly subscribers: Subscribers;
  private readonly calm: Calm;
  private readonly parts: CalmParts;
  private readonly peaks = new Peaks();
  /** Aborted when the soak is over, or has failed. */
  private readonly over = new AbortController();
  private failure: unknown = null;
  private lookWaiters: (() => void)[] = [];
  private stormUnderWay: Storm | null = null;
  private lastAnswerMs = performance.now();
  private calmSinceMs = performance.now();

  constructor(
    private readonly world: FleetWorld,
    private readonly options: FleetOptions,
    private readonly ledger: Ledger,
  ) {
    this.api = new FleetApi(world.bed.socket);
    this.runs = new RunObserver(world, this.api, ledger, () => this.operator);
    this.disk = new DiskObserver(world, this.runs, ledger);
    this.operator = new Operator(world, this.api, ledger, () => this.runs.activeRuns);
    this.subscribers = new Subscribers(world.bed.socket, (error) => this.fail(error));
    this.parts = {
      world,
      api: this.api,
      ledger,
      runs: this.runs,
      disk: this.disk,
      subscribers: this.subscribers,
      backInMs,
    };
    this.calm = new Calm(this.parts, () => this.nextLook());
  }

  async run(): Promise<FleetReport> {
    const { world, options, ledger } = this;
    await world.daemonTurn.runExclusive(() => world.startDaemon());
    void this.subscribers.watch();
    const loops = [
      this.loop(lookEveryMs, () => this.look()),
      this.loop(150, this.changing()),
      this.loop(700, this.operating()),
      this.loop(1500, this.subscribing()),
      this.loop(progressEveryMs, async () => options.onProgress(this.progress())),
    ];
    const endMs = performance.now() + options.minutes * 60_000;
    const isTime = (): boolean => performance.now() < endMs;
    for (let number = 1; isTime(); number++) {
      await this.storm(number, endMs);
      await this.calm.untilAllBackedUp();
      await this.calm.checkQuiet();
      if (isTime()) await this.calm.resume();
      ledger.note(`round ${number} is over`);
    }
    const found = await checkAtEnd(this.parts, this.calm);
    const { violations } = ledger;
    if (violations.length > 0)
      throw new Disagreement(`all else was in order, but for ${violations.length} violations:`);
    this.over.abort();
    await Promise.all(loops);
    return this.report(found);
  }

  /** Settles when no fault is under way any more. */
  async end(): Promise<void> {
    this.over.abort();
    this.subscribers.end();
    this.world.endsSoon();
    await this.stormUnderWay?.ended();
  }

  private get isStormy(): boolean {
    return this.stormUnderWay !== null;
  }

  /** Faults and actions until the storm, or the soak, has lasted long enough; then all is made well. */
  private async storm(number: number, endMs: number): Promise<void> {
    const random = new Random(this.options.seed, streams.storm, number);
    const calming = new AbortController();
    const until = Math.min(endMs, performance.now() + stormMs);
    const stop = AbortSignal.any([this.over.signal, this.options.signal]);
    const storm = new Storm(
      this.world,
      this.ledger,
      (ms) => sleep(ms, AbortSignal.any([calming.signal, stop])),
      (error) => this.fail(error),
    );
    this.ledger.note(`storm ${number} begins`);
    this.stormUnderWay = storm;
    while (performance.now() < until && !stop.aborted) {
      await sleep(400 + random.below(2000), stop);
      storm.begin(random);
    }
    calming.abort();
    // A failure is told at once, whatever the faults still do.
    await Promise.race([storm.ended(), aborted(stop)]);
    this.throwFailure();
    this.stormUnderWay = null;
    this.calmSinceMs = performance.now();
    this.ledger.note(`storm ${number} is over`);
  }

  private async look(): Promise<void> {
    try {
      await this.runs.look();
      this.lastAnswerMs = performance.now();
    } catch (error) {
      if (error instanceof Disagreement) throw error;
      if (!isWithoutAnswer(error) && reasonOf(error) !== 'DATABASE_UNAVAILABLE') throw error;
      const silentMs = performance.now() - Math.max(this.lastAnswerMs, this.calmSinceMs);
      if (!this.isStormy && silentMs > longestSilenceMs) throw error;
    }
    // Those that ended before the look at the disk.
    const committed = this.runs.committed.splice(0);
    this.disk.look();
    this.disk.checkCommitted(committed);
    this.disk.compareSome(new Random(this.options.seed, streams.looks, performance.now()), 2);
    const footprint = this.world.isUp ? footprintOf(this.world.bed.daemonPid()) : null;
    if (footprint) this.peaks.note(footprint);
    const waiters = this.lookWaiters;
    this.lookWaiters = [];
    for (const done of waiters) done();
  }

  /** Settles after a look that begins from now on; throws what has failed. */
  private async nextLook(): Promise<void> {
    for (let count = 0; count < 2; count++) {
      this.throwFailure();
      await new Promise<void>((resolve) => this.lookWaiters.push(resolve));
    }
    this.throwFailure();
  }

  private changing(): () => Promise<void> {
    const random = new Random(this.options.seed, streams.sources);
    return async () => {
      const host = random.pick(this.world.hosts);
      for (let left = 1 + random.below(6); left > 0; left--) host.source.change(random, this.isStormy);
      if (random.chance(0.02)) host.source.write('large', 500_000 + random.below(1_000_000));
    };
  }

  private operating(): () => Promise<void> {
    const random = new Random(this.options.seed, streams.operator);
    return async () => {
      if (this.isStormy && random.chance(0.7)) await this.operator.actOnce(random);
    };
  }

  private subscribing(): () => Promise<void> {
    const random = new Random(this.options.seed, streams.subscribers);
    return async () => {
      const run = random.pickOrNull(this.runs.activeRuns);
      if (run) void this.subscribers.readLog(run, random);
      if (random.chance(0.1)) void this.subscribers.takeNothing(random.below(40_000));
    };
  }

  /** Does something again and again until the soak is over; what it throws fails the soak. */
  private async loop(everyMs: number, work: () => Promise<void>): Promise<void> {
    while (!this.over.signal.aborted) {
      await sleep(everyMs, this.over.signal);
      if (this.over.signal.aborted) return;
      try {
        await work();
      } catch (error) {
        this.fail(error);
      }
    }
  }

  private fail(error: unknown): void {
    // A terminal interrupts all that was started, too.
    this.failure ??= this.options.signal.aborted ? new Interrupted() : error;
    this.over.abort();
    for (const done of this.lookWaiters) done();
  }

  private throwFailure(): void {
    if (this.options.signal.aborted) throw new Interrupted();
    if (this.failure !== null) throw this.failure;
  }

  private progress(): string {
    const minutes = (this.ledger.elapsedMs / 60_000).toFixed(1);
    const { backupsDone } = this.runs;
    const memory = `${(this.peaks.rssBytes / 2 ** 20).toFixed(0)} MiB at most`;
    const { faultCount, violations } = this.ledger;
    const also = violations.length === 0 ? '' : `, ${violations.length} VIOLATIONS`;
    return `${minutes} min: ${backupsDone} backups done, ${faultCount} faults, ${this.disk.compared} comparisons, daemon ${memory}${also}`;
  }

  report(found: readonly string[]): FleetReport {
    return {
      minutes: this.ledger.elapsedMs / 60_000,
      backupsDone: this.runs.backupsDone,
      endings: this.runs.endings,
      faults: this.ledger.faultCounts,
      snapshotsMade: this.disk.made,
      snapshotsGone: this.disk.gone,
      snapshotsCompared: this.disk.compared,
      linesRead: this.subscribers.linesRead,
      slowestMs: this.calm.slowestMs,
      peaks: this.peaks,
      found,
    };
  }
}
