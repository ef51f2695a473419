/**
 * Changes of runs for those who watch. A watcher gets the latest truth: what it has not read yet is replaced by what
 * is newer, so a slow one costs one value a run and slows nobody.
 */
import type { Clock, RunStore } from '../core/ports.js';
import { isActive, type Progress, type RunRecord } from '../core/run.js';

export interface RunView {
  readonly run: RunRecord;
  /** Null when the run does not run. */
  readonly progress: Progress | null;
}

export interface WatchOptions {
  /** 0: only runs that have not ended, then changes. */
  readonly afterRevision: number;
  readonly host: string | null;
  readonly runId: string | null;
}

interface Watcher {
  readonly options: WatchOptions;
  readonly pending: Map<string, RunView>;
  wake(): void;
}

/**
 * More changes than any daemon has told of without writing them down (how far runs are), since it wrote one down last.
 * A clock that was set back must not bring those again, or who resumes after one of them misses what comes now.
 */
const mostUnwritten = 100_000_000;

/**
 * A change has its revision before the database has it, and others are told of meanwhile. A daemon that dies in between
 * has told of newer ones than of this; so who resumes with a position of a former life is told of so many again.
 */
const mostUnderWay = 10_000;

export class RunEvents {
  private readonly watchers = new Set<Watcher>();
  private revision = 0;
  /** Of this life; all before were given by former ones, or by other daemons. */
  private firstRevision = Infinity;

  constructor(
    private readonly store: RunStore,
    private readonly clock: Clock,
  ) {}

  /** Continues after the highest revision ever given, also over a restart, and by other daemons. */
  async start(): Promise<void> {
    const highest = await this.store.highestRevision();
    this.revision = Math.max(this.revision, highest + mostUnwritten, this.clock.now().getTime() * 1000);
    this.firstRevision = Math.min(this.firstRevision, this.revision);
  }

  nextRevision(): number {
    this.revision += 1;
    return this.revision;
  }

  publish(view: RunView): void {
    for (const watcher of this.watchers) {
      if (!isWanted(view.run, watcher.options)) continue;
      watcher.pending.set(view.run.id, view);
      watcher.wake();
    }
  }

  /**
   * First what has not ended or has changed since the given revision, then changes as they come, until `signal`
   * is aborted. `activeRuns` are those that run now, with their progress.
   */
  async *watch(
    options: WatchOptions,
    signal: AbortSignal,
    activeRuns: () => readonly RunView[] = () => [],
  ): AsyncGenerator<RunView> {
    let wake = nothing;
    const watcher: Watcher = { options, pending: new Map(), wake: () => wake() };
    this.watchers.add(watcher);
    const onAbort = (): void => wake();
    signal.addEventListener('abort', onAbort);
    try {
      yield* await this.past(options, watcher, activeRuns);
      while (!signal.aborted) {
        if (watcher.pending.size === 0) {
          await new Promise<void>((resolve) => (wake = resolve));
          continue;
        }
        const batch = takeAll(watcher.pending);
        for (const view of batch) if (!signal.aborted) yield view;
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.watchers.delete(watcher);
    }
  }

  private resumeAfter({ afterRevision }: WatchOptions): number {
    if (afterRevision === 0 || afterRevision >= this.firstRevision) return afterRevision;
    return Math.max(1, afterRevision - mostUnderWay);
  }

  private async past(
    options: WatchOptions,
    watcher: Watcher,
    activeRuns: () => readonly RunView[],
  ): Promise<RunView[]> {
    const filter = options.host === null ? {} : { host: options.host };
    const afterRevision = this.resumeAfter(options);
    const changed = afterRevision > 0 ? await this.store.list({ ...filter, afterRevision }) : [];
    const past = new Map<string, RunView>();
    for (const run of changed) past.set(run.id, { run, progress: null });
    for (const view of activeRuns()) past.set(view.run.id, view);
    // What came in the meantime is newer than what was read.
    for (const view of takeAll(watcher.pending)) past.set(view.run.id, view);
    return [...past.values()]
      .filter(({ run }) => isWanted(run, options))
      .filter(({ run }) => isActive(run.state) || run.revision > afterRevision)
      .sort((a, b) => a.run.revision - b.run.revision);
  }
}

function takeAll(pending: Map<string, RunView>): RunView[] {
  const views = [...pending.values()].sort((a, b) => a.run.revision - b.run.revision);
  pending.clear();
  return views;
}

function isWanted(run: RunRecord, options: WatchOptions): boolean {
  return (
    (options.host === null || run.host === options.host) &&
    (options.runId === null || run.id === options.runId)
  );
}

function nothing(): void {}
