/**
 * The scripts before and after a backup on the server, as the original BUSY called them. Nothing below `backupdir` is
 * made before pre-backup has ended, since it may be what mounts the disk; and nothing works there any more when
 * post-backup is called, since it may unmount it.
 */
import { join } from 'node:path';
import { BusyError } from '../core/errors.js';
import type { BackupEvents, BackupTask } from '../core/executor-port.js';
import { isHeld, type BackupType, type SnapshotRecord } from '../core/snapshot.js';
import {
  afterAbort,
  describeEnd,
  isSuccess,
  limitAfter,
  limitBefore,
  type CommandEnd,
  type TimeLimit,
} from './command-end.js';
import { CommandOutput } from './command-output.js';
import { heldAmongNewest } from './held.js';
import { chooseLinkBases } from './link-bases.js';
import { callScript, findScript, type ScriptCall } from './server-script.js';
import { nextSnapshotName, readHostStore } from './snapshot-dir.js';

export interface ScriptContext {
  readonly task: BackupTask;
  /** A line for the log of the run. */
  readonly say: (text: string) => void;
  /** Cancels the run. */
  readonly signal: AbortSignal;
  /** The daemon stops. */
  readonly haste: AbortSignal;
}

/** What the scripts are told of a backup. */
export interface ScriptFacts {
  readonly type: BackupType;
  /** Where the backup is, or will be. */
  readonly path: string;
}

/**
 * What the scripts are told of a backup, as far as it can be known before its disk may be mounted. Names on a disk that
 * is not mounted yet may make it another one after all (a clock that was set back); post-backup is told the real one.
 */
export async function foresee({ host, type }: BackupTask, startedAt: Date): Promise<ScriptFacts> {
  const directory = join(host.backupdir, host.name);
  const seen = await readHostStore(directory).catch(() => null);
  // Where there is no directory, either the host is new, or its disk is not mounted yet: then the catalog is right.
  const held = seen ? await heldAmongNewest(seen) : new Set<string>();
  const madeType = seen ? chooseLinkBases(seen, type, { bootId: '', held }).type : type;
  const store = seen ?? { directory, snapshots: [], partials: [], trashed: [] };
  return { type: madeType, path: join(directory, nextSnapshotName(store, startedAt, madeType)) };
}

/**
 * Carries a backup out between its two scripts; `facts` is what is known of it at the moment. post-backup is called
 * whatever happens, but cannot make a backup fail. Throws PRE_BACKUP_FAILED and what `work` throws.
 */
export async function betweenScripts(
  context: ScriptContext,
  facts: () => ScriptFacts,
  events: Pick<BackupEvents, 'beforePostBackup'>,
  work: () => Promise<SnapshotRecord | null>,
): Promise<SnapshotRecord | null> {
  let snapshot: SnapshotRecord | null = null;
  try {
    await callPreBackup(context, facts());
    snapshot = await work();
    return snapshot;
  } finally {
    await callPostBackup(context, facts(), snapshot, events);
  }
}

async function callPreBackup(context: ScriptContext, facts: ScriptFacts): Promise<void> {
  const { task, signal } = context;
  const { preBackup, timeoutMs } = task.scripts;
  const host = task.host.name;
  if (signal.aborted) throw new BusyError('CANCELLED');
  if (!(await isCallable(context, 'pre-backup', preBackup))) return;
  const args = [typeWord(facts.type), host, facts.path];
  const output = new CommandOutput('pre-backup', context.say);
  const end = await call(context, facts, { file: preBackup, args }, output, limitBefore(timeoutMs, signal));
  if (isSuccess(end)) return;
  const ending = describeEnd(end, timeoutMs, 'scripts.timeout');
  throw new BusyError('PRE_BACKUP_FAILED', { script: preBackup, host, ending, lastLine: output.lastLine() });
}

async function callPostBackup(
  context: ScriptContext,
  facts: ScriptFacts,
  snapshot: SnapshotRecord | null,
  events: Pick<BackupEvents, 'beforePostBackup'>,
): Promise<void> {
  const { task, haste } = context;
  const { postBackup, timeoutMs } = task.scripts;
  if (!(await isCallable(context, 'post-backup', postBackup))) return;
  const patience = limitAfter(timeoutMs, haste);
  await Promise.race([events.beforePostBackup(snapshot), afterAbort(patience.signal, 0)]);
  patience.end();
  // A held one is for no script to carry on with.
  const state = snapshot && !isHeld(snapshot) ? 'success' : 'failure';
  const args = [task.host.name, state, facts.path];
  const output = new CommandOutput('post-backup', context.say);
  await call(context, facts, { file: postBackup, args }, output, limitAfter(timeoutMs, haste));
}

async function isCallable({ say }: ScriptContext, name: string, file: string): Promise<boolean> {
  const found = await findScript(file);
  if (typeof found === 'object') say(`${name}: ${file} is not called, since ${found.why}`);
  return found === 'callable';
}

async function call(
  { task, say }: ScriptContext,
  facts: ScriptFacts,
  { file, args }: Omit<ScriptCall, 'variables'>,
  output: CommandOutput,
  limit: TimeLimit,
): Promise<CommandEnd> {
  say(`calls ${[file, ...args].join(' ')}`);
  const variables = { BUSY_RUN: task.runId, BUSY_HOST: task.host.name, BUSY_TYPE: typeWord(facts.type) };
  const end = await callScript({ file, args, variables }, output, limit);
  say(`${file} ${describeEnd(end, task.scripts.timeoutMs, 'scripts.timeout')}`);
  return end;
}

/** The original's words. */
function typeWord(type: BackupType): string {
  return type === 'full' ? 'full' : 'incr';
}
