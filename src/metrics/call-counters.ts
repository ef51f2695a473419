/** Counts the calls of the API as they end, and how long they took. */
import { Counter, Histogram, type Registry } from 'prom-client';
import type { EndedCall } from '../core/ended-call.js';

export class CallCounters {
  private readonly calls: Counter<'method' | 'code'>;
  private readonly durations: Histogram<'method'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.calls = new Counter({
      name: 'busy_grpc_calls_total',
      help: 'Calls of the API that have ended since the daemon was started.',
      labelNames: ['method', 'code'],
      registers,
    });
    this.durations = new Histogram({
      name: 'busy_grpc_call_duration_seconds',
      help: 'How long calls with one answer took, however they ended.',
      labelNames: ['method'],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
      registers,
    });
  }

  note({ method, code, durationMs, isStream }: EndedCall): void {
    this.calls.inc({ method: method.slice(1), code });
    if (!isStream) this.durations.observe({ method: method.slice(1) }, durationMs / 1000);
  }
}
