import { DaemonServiceService } from '../src/gen/busy/v1/daemon_service.js';
import { callMethod } from '../test/helpers/grpc-calls.js';
import { parsePrometheusText, valueOf } from '../test/helpers/prometheus-text.js';
import type { TestBed } from '../test/helpers/test-bed.js';

export interface EventLoopLag {
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** How late the event loop of the daemon was in the last one to two minutes, by its own metrics. */
export async function eventLoopLag(bed: TestBed): Promise<EventLoopLag> {
  const client = bed.info;
  try {
    const { text } = await callMethod(client, DaemonServiceService.getMetrics, {});
    const families = parsePrometheusText(text);
    const inMs = (metric: string): number => (valueOf(families, metric) ?? NaN) * 1000;
    return {
      p99Ms: inMs('busy_event_loop_lag_p99_seconds'),
      maxMs: inMs('busy_event_loop_lag_max_seconds'),
    };
  } finally {
    client.close();
  }
}
