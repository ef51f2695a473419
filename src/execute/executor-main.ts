/**
 * Entry of an executor process: commands come in and reports go out over the channel to the daemon, and the data of
 * backups flows here, away from the event loop that answers calls. When the daemon is gone, so is its channel: then
 * all runs are stopped and the process ends.
 */
import { confineModes } from '../core/confinement.js';
import { BusyError, toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { BackupEvents, ProbeResult } from '../core/executor-port.js';
import type { DiskUsage } from '../core/space.js';
import { archive } from './archive.js';
import { backUp } from './backup.js';
import { drill } from './drill.js';
import { checkHost } from './check-host.js';
import { Confiner } from './confinement.js';
import { measureUsage } from './disk-usage.js';
import { AheadThread } from './hash-ahead.js';
import type { Command, Report } from './messages.js';
import { stepBack } from './priority.js';
import { reachHost } from './reach.js';
import { restore } from './restore.js';
import { verify } from './verify.js';
import { verifyArchives } from './verify-archives.js';

/** `confine` and `nice` of the configuration. */
const [confine, nice] = process.argv.slice(2);
const confiner = new Confiner(confineModes.find((mode) => mode === confine) ?? 'auto');
const hasher = new AheadThread();
const clock = { now: (): Date => new Date() };
const running = new Map<number, AbortController>();
/** Backups whose post-backup waits until the daemon leaves their disk alone. */
const waitingForQuiet = new Map<number, () => void>();
/** Backups that wait for the daemon to say whether there is room for them. */
const waitingForRoom = new Map<number, (refusal: BusyError | null) => void>();
/** Aborted when the daemon stops or is gone. */
const haste = new AbortController();
/** Stops all runs when the daemon has not said in time that they may go on. */
let limit: NodeJS.Timeout | undefined;

/** Log growth is told to readers at most this often. */
const logEveryMs = 50;

/** The progress of a measurement at most this often. */
const measuringEveryMs = 250;

stepBack(Number(nice));
process.on('message', (command: Command) => void take(command));
process.on('disconnect', () => {
  haste.abort();
  for (const controller of running.values()) controller.abort();
  endWhenIdle();
});
// The daemon decides when executors end; a Ctrl-C in its terminal reaches them too.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

async function take(command: Command): Promise<void> {
  if (command.kind === 'hurry') {
    haste.abort();
    return;
  }
  if (command.kind === 'mayGoOn') {
    clearTimeout(limit);
    limit = setTimeout(() => running.forEach((controller) => controller.abort()), command.ms);
    return;
  }
  if (command.kind === 'cancel') {
    running.get(command.id)?.abort();
    return;
  }
  if (command.kind === 'quiet') {
    waitingForQuiet.get(command.id)?.();
    return;
  }
  if (command.kind === 'room') {
    const { refusal } = command;
    waitingForRoom.get(command.id)?.(refusal && new BusyError(refusal.reason, refusal.facts));
    return;
  }
  const controller = new AbortController();
  running.set(command.id, controller);
  try {
    tell(await carryOut(command, controller.signal));
  } catch (error) {
    const { reason, facts } = toBusyError(error);
    tell({ kind: 'refused', id: command.id, reason, facts });
  } finally {
    running.delete(command.id);
    waitingForQuiet.delete(command.id);
    waitingForRoom.delete(command.id);
    if (!process.connected) endWhenIdle();
  }
}

async function carryOut(
  command: Exclude<Command, { kind: 'cancel' | 'hurry' | 'mayGoOn' | 'quiet' | 'room' }>,
  signal: AbortSignal,
): Promise<Report> {
  const { id } = command;
  if (command.kind === 'probe') return { kind: 'probed', id, result: await probe(command.host, signal) };
  if (command.kind === 'check')
    return { kind: 'checked', id, check: await checkHost(command.host, confiner, signal) };
  if (command.kind === 'measure') return { kind: 'measured', id, usages: await measure(command, signal) };
  if (command.kind === 'verify')
    return { kind: 'verified', id, result: await verify(command.task, eventsOf(id), signal, clock) };
  if (command.kind === 'restore') {
    const { task, holder } = command;
    return {
      kind: 'restored',
      id,
      result: await restore(task, eventsOf(id), signal, { clock, holder, confiner }),
    };
  }
  if (command.kind === 'drill') {
    const { task, holder } = command;
    return { kind: 'drilled', id, result: await drill(task, eventsOf(id), signal, { clock, holder }) };
  }
  const signals = { cancel: signal, haste: haste.signal };
  if (command.kind === 'archive')
    return { kind: 'archived', id, result: await archive(command.task, eventsOf(id), signals, clock) };
  if (command.kind === 'verifyArchives')
    return { kind: 'archived', id, result: await verifyArchives(command.task, eventsOf(id), signal, clock) };
  return {
    kind: 'backedUp',
    id,
    result: await backUp(command.task, eventsOf(id), signals, {
      clock,
      holder: command.holder,
      confiner,
      hasher,
    }),
  };
}

function eventsOf(id: number): BackupEvents {
  let timer: NodeJS.Timeout | null = null;
  return {
    onProgress: (progress) => tell({ kind: 'progress', id, progress }),
    onJobs: (jobs) => tell({ kind: 'jobs', id, jobs }),
    onLog: () => {
      timer ??= setTimeout(() => {
        timer = null;
        tell({ kind: 'log', id });
      }, logEveryMs);
    },
    askForRoom: (type) =>
      new Promise((resolve) => {
        waitingForRoom.set(id, resolve);
        tell({ kind: 'askForRoom', id, type });
      }),
    beforePostBackup: (snapshot) =>
      new Promise((resolve) => {
        waitingForQuiet.set(id, resolve);
        tell({ kind: 'postBackup', id, snapshot });
      }),
  };
}

async function measure(
  { id, groups }: Extract<Command, { kind: 'measure' }>,
  signal: AbortSignal,
): Promise<(DiskUsage | null)[]> {
  const usages: (DiskUsage | null)[] = [];
  let entriesBefore = 0;
  let saidAt = 0;
  for (const directories of groups) {
    let entries = 0;
    const onEntries = (count: number): void => {
      entries = count;
      const now = clock.now().getTime();
      if (now - saidAt < measuringEveryMs) return;
      saidAt = now;
      const progress = { groupsDone: usages.length, entries: entriesBefore + entries };
      tell({ kind: 'measuring', id, progress });
    };
    usages.push(await measureUsage(directories, onEntries, signal));
    entriesBefore += entries;
  }
  return usages;
}

async function probe(host: Host, signal: AbortSignal): Promise<ProbeResult> {
  const reached = await reachHost(host, signal);
  reached.connection.close();
  if (reached.isRsyncMissing) throw new BusyError('RSYNC_MISSING', { where: `host "${host.name}"` });
  return {
    address: reached.connection.address,
    hostKeyFingerprint: reached.connection.fingerprint,
    hostname: reached.hostname,
    rsyncVersion: reached.rsyncVersion,
    sshSoftware: reached.connection.software,
  };
}

function tell(report: Report): void {
  // Where the daemon has just been killed the channel still counts as connected; its end is told by `disconnect`.
  if (process.connected) process.send?.(report, undefined, undefined, () => {});
}

function endWhenIdle(): void {
  if (running.size === 0) process.exit(0);
}
