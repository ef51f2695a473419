/**
 * The executor processes: started when there is work, several runs each, ended when idle. One that dies takes only
 * its own runs with it; they end with EXECUTOR_DIED, and the next run starts a new process.
 */
import { fork, type ChildProcess } from 'node:child_process';
import type { ConfineMode } from '../core/confinement.js';
import type { HostCheck } from '../core/enrollment.js';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { ArchiveResult, ArchiveTask, ArchivesTask } from '../core/archive-ports.js';
import type {
  BackupEvents,
  BackupResult,
  BackupTask,
  DrillResult,
  DrillTask,
  Executor,
  MeasureProgress,
  ProbeResult,
  RestoreResult,
  RestoreTask,
  RunEventsTaker,
  VerifyResult,
  VerifyTask,
} from '../core/executor-port.js';
import type { DiskUsage } from '../core/space.js';
import type { LockHolder } from './backupdir-lock.js';
import type { Command, Report } from './messages.js';
import { clearAfterDeath } from './scratch.js';

/** How long an executor without work is kept. */
const idleMs = 30_000;

/**
 * Of the heap of each thread, so many MiB twice for what is new: with the 16 of V8 an executor takes tens of MiB more for
 * garbage that nobody has looked for, the more the more files there are, and is no faster.
 */
const smallNursery = '--max-semi-space-size=2';

/** What may be told while a piece of work goes on; each kind of work tells of its own. */
type WorkEvents = Partial<BackupEvents> & { readonly onMeasuring?: (progress: MeasureProgress) => void };

interface Work {
  readonly events: WorkEvents;
  /** Gets the report that ends the work. */
  done(report: Report): void;
  fail(error: BusyError): void;
}

interface ExecutorProcess {
  readonly child: ChildProcess;
  readonly work: Map<number, Work>;
  readonly ended: Promise<void>;
  idleTimer: NodeJS.Timeout | null;
}

export class ExecutorPool implements Executor {
  private readonly processes = new Set<ExecutorProcess>();
  private lastId = 0;
  private isStopping = false;
  /** Until when runs may go on, by `performance.now`; null: no matter how long. */
  private untilMs: number | null = null;

  /**
   * `entry` is the compiled executor-main; `executors` the most processes at once, and the rest what theirs start with.
   * `holder` has the locks on backup directories. `onDeath` hears of an executor that ended unasked.
   */
  constructor(
    private readonly entry: string,
    private readonly settings: {
      readonly executors: number;
      readonly confine: ConfineMode;
      readonly nice: number;
    },
    private readonly holder: LockHolder,
    private readonly onDeath: (pid: number, ending: string) => void,
  ) {}

  async backUp(task: BackupTask, events: BackupEvents, signal: AbortSignal): Promise<BackupResult> {
    const { holder } = this;
    const report = await this.give((id) => ({ kind: 'backUp', id, task, holder }), events, signal);
    if (report.kind === 'backedUp') return report.result;
    throw unexpected(report);
  }

  async verify(task: VerifyTask, events: RunEventsTaker, signal: AbortSignal): Promise<VerifyResult> {
    const report = await this.give((id) => ({ kind: 'verify', id, task }), events, signal);
    if (report.kind === 'verified') return report.result;
    throw unexpected(report);
  }

  async archive(task: ArchiveTask, events: RunEventsTaker, signal: AbortSignal): Promise<ArchiveResult> {
    const report = await this.give((id) => ({ kind: 'archive', id, task }), events, signal);
    if (report.kind === 'archived') return report.result;
    throw unexpected(report);
  }

  async verifyArchives(
    task: ArchivesTask,
    events: RunEventsTaker,
    signal: AbortSignal,
  ): Promise<ArchiveResult> {
    const report = await this.give((id) => ({ kind: 'verifyArchives', id, task }), events, signal);
    if (report.kind === 'archived') return report.result;
    throw unexpected(report);
  }

  async restore(task: RestoreTask, events: RunEventsTaker, signal: AbortSignal): Promise<RestoreResult> {
    const { holder } = this;
    const work = this.give((id) => ({ kind: 'restore', id, task, holder }), events, signal);
    const report = await work.catch(clearAfterDeath(task, 'restore', holder));
    if (report.kind === 'restored') return report.result;
    throw unexpected(report);
  }

  async drill(task: DrillTask, events: RunEventsTaker, signal: AbortSignal): Promise<DrillResult> {
    const { holder } = this;
    const work = this.give((id) => ({ kind: 'drill', id, task, holder }), events, signal);
    const report = await work.catch(clearAfterDeath(task, 'drill', holder));
    if (report.kind === 'drilled') return report.result;
    throw unexpected(report);
  }

  async probe(host: Host): Promise<ProbeResult> {
    const report = await this.give((id) => ({ kind: 'probe', id, host }), {}, new AbortController().signal);
    if (report.kind === 'probed') return report.result;
    throw unexpected(report);
  }

  async check(host: Host): Promise<HostCheck> {
    const report = await this.give((id) => ({ kind: 'check', id, host }), {}, new AbortController().signal);
    if (report.kind === 'checked') return report.check;
    throw unexpected(report);
  }

  async measure(
    groups: readonly (readonly string[])[],
    onMeasuring: (progress: MeasureProgress) => void,
    signal: AbortSignal,
  ): Promise<readonly (DiskUsage | null)[]> {
    const report = await this.give((id) => ({ kind: 'measure', id, groups }), { onMeasuring }, signal);
    if (report.kind === 'measured') return report.usages;
    throw unexpected(report);
  }

  processCount(): number {
    return this.processes.size;
  }

  /** Leaves a few seconds to the scripts and commands that follow a backup: the daemon is about to stop. */
  hurry(): void {
    for (const executor of this.processes) send(executor, { kind: 'hurry' });
  }

  /** Lets runs go on for so long from now; whatever becomes of this process, they do not go on for longer. */
  mayGoOn(ms: number): void {
    this.untilMs = performance.now() + ms;
    for (const executor of this.processes) send(executor, { kind: 'mayGoOn', ms });
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    const all = [...this.processes];
    for (const { child } of all) if (child.connected) child.disconnect();
    await Promise.all(all.map(({ ended }) => ended));
  }

  private give(
    commandFor: (id: number) => Command,
    events: WorkEvents,
    signal: AbortSignal,
  ): Promise<Report> {
    if (this.isStopping) return Promise.reject(new BusyError('DAEMON_STOPPING'));
    const executor = this.choose();
    const id = ++this.lastId;
    const cancel = (): void => send(executor, { kind: 'cancel', id });
    if (executor.idleTimer) clearTimeout(executor.idleTimer);
    return new Promise<Report>((resolve, reject) => {
      executor.work.set(id, { events, done: resolve, fail: reject });
      send(executor, commandFor(id));
      if (signal.aborted) cancel();
      else signal.addEventListener('abort', cancel, { once: true });
    }).finally(() => {
      signal.removeEventListener('abort', cancel);
      executor.work.delete(id);
      this.endWhenIdle(executor);
    });
  }

  /** The executor with the least work; a new one while there may be more and all have work. */
  private choose(): ExecutorProcess {
    const usable = [...this.processes].filter(({ child }) => child.connected);
    const least = usable.sort((a, b) => a.work.size - b.work.size)[0];
    if (least && (least.work.size === 0 || usable.length >= this.settings.executors)) return least;
    return this.start();
  }

  private start(): ExecutorProcess {
    const child = fork(this.entry, [this.settings.confine, String(this.settings.nice)], {
      execArgv: [...process.execArgv, smallNursery],
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const executor: ExecutorProcess = {
      child,
      work: new Map(),
      idleTimer: null,
      ended: new Promise((resolve) => {
        child.once('exit', (code, signal) => {
          this.buryExecutor(executor, signal ? `signal ${signal}` : `code ${code}`);
          resolve();
        });
      }),
    };
    child.on('message', (report: Report) => receive(executor, report));
    // Failing to send is told by `exit`, which always follows.
    child.on('error', () => {});
    this.processes.add(executor);
    if (this.untilMs !== null)
      send(executor, { kind: 'mayGoOn', ms: Math.max(0, this.untilMs - performance.now()) });
    return executor;
  }

  private buryExecutor(executor: ExecutorProcess, ending: string): void {
    this.processes.delete(executor);
    if (executor.idleTimer) clearTimeout(executor.idleTimer);
    const wasExpected = executor.work.size === 0 && ending === 'code 0';
    if (!wasExpected && !this.isStopping) this.onDeath(executor.child.pid ?? 0, ending);
    for (const work of executor.work.values()) work.fail(new BusyError('EXECUTOR_DIED', { ending }));
  }

  private endWhenIdle(executor: ExecutorProcess): void {
    if (executor.work.size > 0 || !executor.child.connected) return;
    executor.idleTimer = setTimeout(() => {
      if (executor.work.size === 0 && executor.child.connected) executor.child.disconnect();
    }, idleMs);
    executor.idleTimer.unref();
  }
}

function receive(executor: ExecutorProcess, report: Report): void {
  const work = executor.work.get(report.id);
  if (!work) return;
  switch (report.kind) {
    case 'progress':
      work.events.onProgress?.(report.progress);
      return;
    case 'jobs':
      work.events.onJobs?.(report.jobs);
      return;
    case 'log':
      work.events.onLog?.();
      return;
    case 'measuring':
      work.events.onMeasuring?.(report.progress);
      return;
    case 'askForRoom':
      void answerRoom(executor, work.events, report);
      return;
    case 'postBackup':
      void work.events.beforePostBackup?.(report.snapshot).finally(() => {
        send(executor, { kind: 'quiet', id: report.id });
      });
      return;
    case 'backedUp':
    case 'verified':
    case 'archived':
    case 'restored':
    case 'drilled':
    case 'probed':
    case 'checked':
    case 'measured':
      work.done(report);
      return;
    case 'refused':
      work.fail(new BusyError(report.reason, report.facts));
      return;
    default:
      report satisfies never;
  }
}

async function answerRoom(
  executor: ExecutorProcess,
  events: WorkEvents,
  { id, type }: Extract<Report, { kind: 'askForRoom' }>,
): Promise<void> {
  const error = (await events.askForRoom?.(type)) ?? null;
  send(executor, { kind: 'room', id, refusal: error && { reason: error.reason, facts: error.facts } });
}

function send(executor: ExecutorProcess, command: Command): void {
  if (executor.child.connected) executor.child.send(command);
}

function unexpected(report: Report): BusyError {
  return new BusyError('INTERNAL', { what: `an executor answered ${report.kind}` });
}
