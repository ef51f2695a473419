/**
 * The runs that go on, as the daemon tells them. One stream for the whole page, since a browser opens few connections to
 * one server; after a loss it goes on where it was.
 */
import type { Client } from '@connectrpc/connect';
import type { BackupService } from '../../gen/busy/v1/backup_service_pb.js';
import { RunState, type Run } from '../../gen/busy/v1/run_pb.js';

export type Connection = 'connecting' | 'live' | 'lost';

export interface LiveRunsView {
  readonly connection: Connection;
  /** Those that have not ended, and those that have while the page was open (the last 200); newest first. */
  readonly runs: readonly Run[];
}

type RunSource = Pick<Client<typeof BackupService>, 'watchRuns'>;

/** Those who want to know more than what goes on. */
export interface LiveRunsListener {
  /** Hears of runs that have another state than before, or were not known. */
  readonly onStates: (runs: readonly Run[]) => void;
  /** The daemon answers again after it did not. */
  readonly onBack: () => void;
}

/** Twenty runs report several times a second; a page that is drawn four times a second is smooth enough. */
const drawEveryMs = 250;
/** Many runs begin in the same minute; what they changed is asked for once for all of them. */
const tellEveryMs = 500;
const shortestWaitMs = 500;
const longestWaitMs = 5_000;
const mostEnded = 200;

export class LiveRuns {
  private view: LiveRunsView = { connection: 'connecting', runs: [] };
  private readonly runs = new Map<string, Run>();
  private readonly listeners = new Set<() => void>();
  private connection: Connection = 'connecting';
  private revision = 0n;
  private abort: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private readonly changed = new Map<string, Run>();
  private tellTimer: ReturnType<typeof setTimeout> | null = null;

  /**
   * `isThere` settles when the daemon has answered: a stream on which nothing happens tells nothing, since its headers
   * come with its first message.
   */
  constructor(
    private readonly source: RunSource,
    private readonly isThere: (signal: AbortSignal) => Promise<unknown>,
    private readonly listener: LiveRunsListener,
  ) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  readonly current = (): LiveRunsView => this.view;

  start(): void {
    this.abort = new AbortController();
    void this.watch(this.abort.signal);
  }

  stop(): void {
    this.abort?.abort();
    if (this.timer) clearTimeout(this.timer);
    if (this.tellTimer) clearTimeout(this.tellTimer);
    this.timer = null;
    this.tellTimer = null;
  }

  private async watch(signal: AbortSignal): Promise<void> {
    let waitMs = shortestWaitMs;
    while (!signal.aborted) {
      let isAnswered = false;
      const beganAt = Date.now();
      try {
        await this.isThere(signal);
        isAnswered = true;
        this.become('live');
        for await (const { run } of this.source.watchRuns({ afterRevision: this.revision }, { signal })) {
          waitMs = shortestWaitMs;
          if (run) this.take(run);
        }
      } catch {
        // Whatever it was: the daemon is asked again.
      }
      if (signal.aborted) return;
      // The end of the stream alone is no loss: proxies cut one on which nothing happens.
      if (!isAnswered) this.become('lost');
      if (Date.now() - beganAt > longestWaitMs) waitMs = shortestWaitMs;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      waitMs = Math.min(longestWaitMs, waitMs * 2);
    }
  }

  private take(run: Run): void {
    const before = this.runs.get(run.id);
    this.runs.set(run.id, run);
    if (run.revision > this.revision) this.revision = run.revision;
    if (before?.state !== run.state) this.tellSoon(run);
    this.forgetOld();
    this.drawSoon();
  }

  private forgetOld(): void {
    const ended = [...this.runs.values()].filter(hasEnded);
    for (const run of ended.slice(0, Math.max(0, ended.length - mostEnded))) this.runs.delete(run.id);
  }

  private become(connection: Connection): void {
    const isBack = connection === 'live' && this.connection === 'lost';
    this.connection = connection;
    if (isBack) this.listener.onBack();
    this.drawSoon();
  }

  private tellSoon(run: Run): void {
    this.changed.set(run.id, run);
    this.tellTimer ??= setTimeout(() => {
      this.tellTimer = null;
      const runs = [...this.changed.values()];
      this.changed.clear();
      this.listener.onStates(runs);
    }, tellEveryMs);
  }

  private drawSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      const runs = [...this.runs.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
      this.view = { connection: this.connection, runs };
      for (const listener of this.listeners) listener();
    }, drawEveryMs);
  }
}

export function hasEnded({ state }: Pick<Run, 'state'>): boolean {
  return state !== RunState.QUEUED && state !== RunState.RUNNING && state !== RunState.CANCELLING;
}
