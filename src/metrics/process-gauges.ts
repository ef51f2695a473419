/** The process of the daemon: memory, processor time, and how late its event loop is. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

/** How often the loop is asked, in milliseconds: 50 wake-ups a second cost nothing that could be measured. */
const resolutionMs = 20;
const windowMs = 60_000;

interface Lag {
  readonly max: number;
  readonly p99: number;
}

export class ProcessGauges {
  private readonly memory: Gauge;
  private readonly heap: Gauge;
  private readonly processor: Counter;
  private readonly lagMax: Gauge;
  private readonly lagP99: Gauge;
  private readonly delays: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });
  private before: Lag = { max: 0, p99: 0 };
  private processorSeconds = 0;
  private turn: NodeJS.Timeout | undefined;

  constructor(registry: Registry) {
    const registers = [registry];
    const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers });
    this.memory = gauge('busy_memory_bytes', 'Memory of the daemon without its executors (resident set).');
    this.heap = gauge('busy_heap_used_bytes', 'Memory that its JavaScript objects use.');
    this.processor = new Counter({
      name: 'busy_cpu_seconds_total',
      help: 'Processor time that the daemon has used, without its executors.',
      registers,
    });
    this.lagMax = gauge(
      'busy_event_loop_lag_max_seconds',
      'How late the event loop of the daemon was at worst, in the last one to two minutes.',
    );
    this.lagP99 = gauge(
      'busy_event_loop_lag_p99_seconds',
      'The lateness that 99 % of the looks stayed below, in the worse of the last two minutes.',
    );
  }

  /** Begins to look at the event loop. */
  start(): void {
    this.delays.enable();
    // By the clock, not at each question: several may ask, and each must see what was bad.
    this.turn = setInterval(() => {
      this.before = lagOf(this.delays);
      this.delays.reset();
    }, windowMs).unref();
  }

  stop(): void {
    clearInterval(this.turn);
    this.delays.disable();
  }

  fill(): void {
    const { rss, heapUsed } = process.memoryUsage();
    this.memory.set(rss);
    this.heap.set(heapUsed);
    const { user, system } = process.cpuUsage();
    const processorSeconds = (user + system) / 1e6;
    this.processor.inc(processorSeconds - this.processorSeconds);
    this.processorSeconds = processorSeconds;
    const now = lagOf(this.delays);
    this.lagMax.set(Math.max(now.max, this.before.max));
    this.lagP99.set(Math.max(now.p99, this.before.p99));
  }
}

function lagOf(delays: IntervalHistogram): Lag {
  if (delays.count === 0) return { max: 0, p99: 0 };
  return { max: latenessOf(delays.max), p99: latenessOf(delays.percentile(99)) };
}

/** In seconds; the histogram has the time from one look to the next, in nanoseconds. */
function latenessOf(ns: number): number {
  return Math.max(0, ns / 1e9 - resolutionMs / 1000);
}
