/** Ends a transfer whose connection is silent for too long. */
import type { Host } from '../core/host.js';

export interface StallWatch {
  /** Aborted when `signal` is, or after `idle_timeout` without traffic. */
  readonly signal: AbortSignal;
  readonly onTraffic: () => void;
  readonly hasStalled: () => boolean;
  readonly end: () => void;
}

/** `nowMs` are milliseconds of a clock that nobody sets: a host is not silent because the time of day is another. */
export function watchForStall(
  { idleTimeoutMs }: Pick<Host, 'idleTimeoutMs'>,
  signal: AbortSignal,
  nowMs: () => number = () => performance.now(),
): StallWatch {
  const stalled = new AbortController();
  let lastTraffic = nowMs();
  const look = (): void => {
    if (nowMs() - lastTraffic >= idleTimeoutMs) stalled.abort();
  };
  const timer = idleTimeoutMs > 0 ? setInterval(look, Math.min(idleTimeoutMs, 1000)) : undefined;
  return {
    signal: AbortSignal.any([signal, stalled.signal]),
    onTraffic: () => (lastTraffic = nowMs()),
    hasStalled: () => stalled.signal.aborted,
    end: () => clearInterval(timer),
  };
}
