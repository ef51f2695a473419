/** The log of a run as a stream that loses nothing: it reads the file, so a slow reader costs no memory. */
import type { RunLogs } from '../core/ports.js';
import { isActive, type RunRecord } from '../core/run.js';

export interface LogRequest {
  readonly runId: string;
  /** 0 or a `nextOffset` that was answered before. */
  readonly offset: number;
  /** Go on until the run has ended. */
  readonly follow: boolean;
}

export interface LogBatch {
  readonly offset: number;
  readonly lines: readonly string[];
  readonly nextOffset: number;
}

/** Wakes those who wait for a log to grow. */
export class LogGrowth {
  private readonly waiting = new Map<string, { promise: Promise<void>; resolve: () => void }>();

  /** Settles at the next growth after this call. */
  next(runId: string): Promise<void> {
    const known = this.waiting.get(runId);
    if (known) return known.promise;
    let resolve = nothing;
    const promise = new Promise<void>((settle) => (resolve = settle));
    this.waiting.set(runId, { promise, resolve });
    return promise;
  }

  /** The log has grown, or its run has ended. */
  grew(runId: string): void {
    this.waiting.get(runId)?.resolve();
    this.waiting.delete(runId);
  }
}

export interface LogSources {
  readonly logs: RunLogs;
  readonly growth: LogGrowth;
  /** Throws RUN_NOT_FOUND. */
  getRun(id: string): Promise<RunRecord>;
}

export interface LogWriting {
  readonly logs: Pick<RunLogs, 'append'>;
  readonly growth: LogGrowth;
  readonly onError: (message: string, error: unknown) => void;
}

/**
 * Every line of a log from an offset on, once and in order. Ends at the present end, or with `follow` when the run
 * has ended, or when `signal` is aborted. Throws RUN_NOT_FOUND or OFFSET_OUT_OF_RANGE.
 */
export async function* streamLog(
  sources: LogSources,
  request: LogRequest,
  signal: AbortSignal,
): AsyncGenerator<LogBatch> {
  const { runId, follow } = request;
  const aborted = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  );
  let { offset } = request;
  let hasEnded = false;
  try {
    while (!signal.aborted) {
      // Before the state and the file are looked at, so that what comes in between is not missed.
      const growth = sources.growth.next(runId);
      hasEnded ||= !isActive((await sources.getRun(runId)).state);
      const chunk = await sources.logs.read(runId, offset, hasEnded);
      if (chunk.lines.length > 0) {
        yield { offset, ...chunk };
        offset = chunk.nextOffset;
      } else if (hasEnded || !follow) {
        return;
      } else {
        await Promise.race([growth, aborted]);
      }
    }
  } finally {
    // A log that grows no more would be waited for for ever; those who wait for another reason look and wait again.
    sources.growth.grew(runId);
  }
}

/** Writes a line into the log of a run, and wakes those who follow it; never throws. */
export async function sayInLog(
  { logs, growth, onError }: LogWriting,
  runId: string,
  text: string,
): Promise<void> {
  await logs.append(runId, text).catch((error: unknown) => {
    onError('a line of a run log could not be written', error);
  });
  growth.grew(runId);
}

function nothing(): void {}
