/**
 * The scripts before and after an archive on the server. The archive directory is not looked at before pre-archive has
 * ended, since it may be what mounts the disk; and nothing works there any more when post-archive is called.
 */
import { BusyError } from '../core/errors.js';
import type { ArchiveTask } from '../core/archive-ports.js';
import {
  describeEnd,
  isSuccess,
  limitAfter,
  limitBefore,
  type CommandEnd,
  type TimeLimit,
} from './command-end.js';
import { CommandOutput } from './command-output.js';
import { callScript, findScript } from './server-script.js';

export interface ArchiveScriptContext {
  readonly task: ArchiveTask;
  /** The tarball that is, or is to be. */
  readonly tarball: string;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
  /** The daemon stops. */
  readonly haste: AbortSignal;
}

/**
 * Archives between the two scripts. post-archive is called whatever happens, but cannot make an archive fail. Throws
 * PRE_ARCHIVE_FAILED and what `work` throws.
 */
export async function betweenArchiveScripts<T>(
  context: ArchiveScriptContext,
  work: () => Promise<T>,
): Promise<T> {
  let state = 'failure';
  try {
    await callPreArchive(context);
    const result = await work();
    state = 'success';
    return result;
  } finally {
    const { task, tarball, haste } = context;
    const { postArchive, timeoutMs } = task.scripts;
    if (await isCallable(context, 'post-archive', postArchive)) {
      const args = [task.host.name, state, tarball, task.snapshot.path];
      await call(
        context,
        postArchive,
        args,
        new CommandOutput('post-archive', context.say),
        limitAfter(timeoutMs, haste),
      );
    }
  }
}

async function callPreArchive(context: ArchiveScriptContext): Promise<void> {
  const { task, tarball, signal } = context;
  const { preArchive, timeoutMs } = task.scripts;
  if (signal.aborted) throw new BusyError('CANCELLED');
  if (!(await isCallable(context, 'pre-archive', preArchive))) return;
  const args = [task.host.name, tarball, task.snapshot.path];
  const output = new CommandOutput('pre-archive', context.say);
  const end = await call(context, preArchive, args, output, limitBefore(timeoutMs, signal));
  if (isSuccess(end)) return;
  if (signal.aborted) throw new BusyError('CANCELLED');
  const ending = describeEnd(end, timeoutMs, 'scripts.timeout');
  throw new BusyError('PRE_ARCHIVE_FAILED', { script: preArchive, host: task.host.name, ending });
}

async function isCallable({ say }: ArchiveScriptContext, name: string, file: string): Promise<boolean> {
  const found = await findScript(file);
  if (typeof found === 'object') say(`${name}: ${file} is not called, since ${found.why}`);
  return found === 'callable';
}

async function call(
  { task, tarball, say }: ArchiveScriptContext,
  file: string,
  args: readonly string[],
  output: CommandOutput,
  limit: TimeLimit,
): Promise<CommandEnd> {
  say(`calls ${[file, ...args].join(' ')}`);
  const variables = {
    BUSY_RUN: task.runId,
    BUSY_HOST: task.host.name,
    BUSY_SNAPSHOT: task.snapshot.name,
    BUSY_ARCHIVE: tarball,
  };
  const end = await callScript({ file, args, variables }, output, limit);
  say(`${file} ${describeEnd(end, task.scripts.timeoutMs, 'scripts.timeout')}`);
  return end;
}
