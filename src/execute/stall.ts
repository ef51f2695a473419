/** Ends a transfer whose connection is silent for too long. */
import type { Host } from '../core/host.js';
import type { Clock } from '../core/ports.js';

export interface StallWatch {
  /** Aborted when `signal` is, or after `idle_timeout` without traffic. */
  readonly signal: AbortSignal;
  readonly onTraffic: () => void;
  readonly hasStalled: () => boolean;
  readonly end: () => void;
}

export function watchForStall(
  { idleTimeoutMs }: Pick<Host, 'idleTimeoutMs'>,
  clock: Clock,
  signal: AbortSignal,
): StallWatch {
  const stalled = new AbortController();
  let lastTraffic = clock.now().getTime();
  const look = (): void => {
    if (clock.now().getTime() - lastTraffic >= idleTimeoutMs) stalled.abort();
  };
  const timer = idleTimeoutMs > 0 ? setInterval(look, Math.min(idleTimeoutMs, 1000)) : undefined;
  return {
    signal: AbortSignal.any([signal, stalled.signal]),
    onTraffic: () => (lastTraffic = clock.now().getTime()),
    hasStalled: () => stalled.signal.aborted,
    end: () => clearInterval(timer),
  };
}
