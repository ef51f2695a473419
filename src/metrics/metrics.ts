/**
 * The metrics of the daemon, as text for Prometheus. What happens is counted as it happens; all else is looked up when
 * someone asks. Labels are hosts, directories, calls and words of BUSY, so the text grows with the hosts alone. All
 * names begin with `busy_`: the text also comes through node_exporter, beside names of its own.
 */
import { setImmediate } from 'node:timers/promises';
import { Gauge, Registry } from 'prom-client';
import type { EndedCall } from '../core/ended-call.js';
import type { RunRecord } from '../core/run.js';
import { CallCounters } from './call-counters.js';
import { DaemonGauges } from './daemon-gauges.js';
import type { EndedBackup, Facts } from './facts.js';
import { hostTexts } from './host-text.js';
import { ProcessGauges } from './process-gauges.js';
import { RunCounters } from './run-counters.js';

/** With many hosts, how long the event loop is held up in one go. */
const longestStretchMs = 5;

export const metricsContentType = Registry.PROMETHEUS_CONTENT_TYPE;

export class Metrics {
  private readonly registry = new Registry();
  private readonly runs = new RunCounters(this.registry);
  private readonly calls = new CallCounters(this.registry);
  private readonly daemon = new DaemonGauges(this.registry);
  private readonly process = new ProcessGauges(this.registry);
  private readonly collecting = new Gauge({
    name: 'busy_collect_duration_seconds',
    help: 'How long it took to look up the facts for this answer.',
    registers: [this.registry],
  });
  private answer: Promise<string> | null = null;

  constructor(private readonly lookUp: () => Promise<Facts>) {}

  start(): void {
    this.process.start();
  }

  stop(): void {
    this.process.stop();
  }

  noteRun(run: RunRecord): void {
    this.runs.note(run);
  }

  noteCall(call: EndedCall): void {
    this.calls.note(call);
  }

  lastBackup(host: string): EndedBackup | null {
    return this.runs.lastBackup(host);
  }

  /** Whoever asks while it is being written gets the same one. */
  text(): Promise<string> {
    this.answer ??= this.write().finally(() => (this.answer = null));
    return this.answer;
  }

  private async write(): Promise<string> {
    const startedMs = performance.now();
    const facts = await this.lookUp();
    this.daemon.fill(facts);
    this.process.fill();
    this.collecting.set((performance.now() - startedMs) / 1000);
    const pieces = [`${(await this.registry.metrics()).trimEnd()}\n`];
    let fromMs = performance.now();
    for (const piece of hostTexts(facts.hosts)) {
      pieces.push(piece);
      if (performance.now() - fromMs < longestStretchMs) continue;
      await setImmediate();
      fromMs = performance.now();
    }
    return pieces.join('');
  }
}
