/**
 * What looks at all hosts once a minute, and starts runs of one kind at those whose time has come: one round at a time,
 * until it is stopped. It remembers the newest run of its kind of each host.
 */
import { toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { RunStore } from '../core/ports.js';
import type { RunKind, RunRecord } from '../core/run.js';
import type { RunEvents } from './run-events.js';

export interface HostRoundsParts {
  readonly runs: Pick<RunStore, 'newestOfEachHost'>;
  readonly events: Pick<RunEvents, 'watch'>;
  /** What no caller can be told. */
  readonly onError: (message: string, error: unknown) => void;
}

export interface Round {
  readonly kind: RunKind;
  /** The hosts to look at, in this order. */
  readonly hosts: () => readonly Host[];
  /** Starts what is due at a host. */
  readonly lookAt: (host: Host) => Promise<void>;
  /** What is said of an error that is a fault. */
  readonly message: string;
  /** Reasons that are no faults here, besides those that never are. */
  readonly noFaults?: readonly string[];
  /** Hears of each run of the kind, also of those that the database knows. */
  readonly onRun?: (run: RunRecord) => void;
}

const lookEveryMs = 60_000;

/**
 * Someone else was faster, the host was removed or is in other hands, the daemon stops, or the database is away, of which
 * its watch tells.
 */
const noFaults: readonly string[] = [
  'HOST_BUSY',
  'DAEMON_STOPPING',
  'HOST_NOT_FOUND',
  'DATABASE_UNAVAILABLE',
  'HOST_ELSEWHERE',
  'HOST_NOT_HELD',
];

/** Whether a run that the daemon wanted by itself could not be started for a reason that is a fault. */
export function isFaultOfStart(error: unknown, alsoNone: readonly string[] = []): boolean {
  const { reason } = toBusyError(error);
  return !noFaults.includes(reason) && !alsoNone.includes(reason);
}

export class HostRounds {
  private readonly newest = new Map<string, RunRecord>();
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | null = null;

  constructor(
    private readonly parts: HostRoundsParts,
    private readonly round: Round,
  ) {}

  /** Throws what the database says. */
  async start(): Promise<void> {
    for (const run of await this.parts.runs.newestOfEachHost(this.round.kind)) this.note(run);
    void this.follow();
    this.timer = setInterval(() => void this.look(), lookEveryMs);
    void this.look();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await this.looking;
  }

  newestOf({ name }: Pick<Host, 'name'>): RunRecord | null {
    return this.newest.get(name) ?? null;
  }

  /** One round over all hosts. Never throws. */
  look(): Promise<void> {
    this.looking ??= this.lookAtAll().finally(() => (this.looking = null));
    return this.looking;
  }

  private async lookAtAll(): Promise<void> {
    for (const host of this.round.hosts()) {
      if (this.stopping.signal.aborted) return;
      try {
        await this.round.lookAt(host);
      } catch (error) {
        if (isFaultOfStart(error, this.round.noFaults)) this.parts.onError(this.round.message, error);
      }
    }
  }

  private async follow(): Promise<void> {
    const onlyNew = { afterRevision: 0, host: null, runId: null };
    for await (const { run } of this.parts.events.watch(onlyNew, this.stopping.signal)) {
      if (run.kind === this.round.kind) this.note(run);
    }
  }

  private note(run: RunRecord): void {
    this.newest.set(run.host, run);
    this.round.onRun?.(run);
  }
}
