/** One script of the administrator on the server: whether it is to be called, and a call that always comes to an end. */
import { access, constants, open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAbort, graceMs, type CommandEnd, type TimeLimit } from './command-end.js';
import type { CommandOutput } from './command-output.js';
import { politeMs, startScript } from './process.js';

export interface ScriptCall {
  /** Absolute. */
  readonly file: string;
  readonly args: readonly string[];
  /** Where it runs; default: `/`. */
  readonly directory?: string;
  /** Variables for its environment, besides PATH, HOME and LANG. */
  readonly variables: Readonly<Record<string, string>>;
}

/** How long after SIGKILL one that the system cannot end (a mount that hangs) is waited for. */
const stuckMs = 1000;

/**
 * Whether a script is there and executable. `absent`: there is no such file. Anything else says why it is not called.
 */
export async function findScript(file: string): Promise<'callable' | 'absent' | { readonly why: string }> {
  try {
    if (!(await stat(file)).isFile()) return { why: 'it is not a file' };
    await access(file, constants.X_OK);
    return 'callable';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent';
    return { why: code === 'EACCES' ? 'it is not executable' : message };
  }
}

/**
 * Calls a script and waits until it has ended, but not for what it leaves in the background. When `limit` is reached,
 * the script and all its children that stayed in its process group are ended. Never throws.
 */
export async function callScript(
  call: ScriptCall,
  output: CommandOutput,
  limit: TimeLimit,
): Promise<CommandEnd> {
  const [program, args] = await commandOf(call);
  try {
    const { variables, directory = '/' } = call;
    const script = startScript(program, args, { variables, directory }, limit.signal);
    output.listen(script.stdout);
    output.listen(script.stderr);
    const stuck = afterAbort(limit.signal, politeMs + stuckMs).then(() => null);
    const ending = await Promise.race([script.exited, script.ended, stuck]);
    // What it left in the background on purpose must not be ended by a limit that is reached now.
    limit.end();
    await Promise.race([script.ended, delay(graceMs)]);
    for (const stream of [script.stdout, script.stderr]) stream.destroy();
    if (limit.signal.aborted) return { how: limit.reason(), isGone: ending !== null };
    return { how: 'ended', ending: ending ?? { code: null, signal: null } };
  } catch (error) {
    return { how: 'unstartable', detail: await whyUnstartable(call.file, error) };
  } finally {
    limit.end();
    output.end();
  }
}

/** A text that does not name its interpreter is one for /bin/sh. Most systems do so themselves, but not all. */
async function commandOf({ file, args }: ScriptCall): Promise<[program: string, args: readonly string[]]> {
  const head = await headOf(file).catch(() => null);
  const isForShell = head !== null && !head.includes(0) && head.subarray(0, 2).toString('latin1') !== '#!';
  return isForShell ? ['/bin/sh', [file, ...args]] : [file, args];
}

/** The system calls a file that is there "not there" when its interpreter is not. */
async function whyUnstartable(file: string, error: unknown): Promise<string> {
  const message = error instanceof Error ? error.message : String(error);
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return message;
  const head = (await headOf(file).catch(() => null))?.toString('utf8') ?? '';
  const [line = ''] = head.split('\n', 1);
  if (!line.startsWith('#!')) return message;
  // Quoted, since a line end of Windows belongs to the name.
  return `its first line ${JSON.stringify(line)} names a program that is not there`;
}

async function headOf(file: string): Promise<Buffer> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
