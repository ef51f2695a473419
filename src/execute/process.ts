/**
 * Local processes: started with an argument array and a minimal environment, in a process group of their own, and
 * ended politely first, then by force. Nothing here ever sees a shell string made from data.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { Readable, type Writable } from 'node:stream';
import { stepSessionBack } from './priority.js';

export interface Ending {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
}

export interface LocalProcess {
  readonly pid: number | null;
  readonly stdin: Writable;
  /** Empty when the process was given another output. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Extra descriptors 3 (to the process) and 4 (from it). */
  readonly toProcess: Writable;
  readonly fromProcess: Readable;
  /** Settles when the process has ended and its outputs are closed; rejects when it could not be started. */
  readonly ended: Promise<Ending>;
}

export interface Script {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when the process has ended, whoever still holds its outputs; never when it could not be started. */
  readonly exited: Promise<Ending>;
  /** Settles when its outputs are closed too; rejects when it could not be started. */
  readonly ended: Promise<Ending>;
}

/** How long a process may take to end after SIGTERM. */
export const politeMs = 1500;

/**
 * Starts a program in its own process group, which steps back before the daemon. When `signal` is aborted the whole
 * group gets SIGTERM, and SIGKILL after a moment. `output`: a descriptor for its standard output, instead of a pipe.
 */
export function startProcess(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  output?: number,
): LocalProcess {
  const child = spawnPiped(program, args, 5, output);
  stepBackWith(child);
  return { ...pipesOf(child), ended: endOf(child, signal) };
}

/**
 * The same for a helper that is over soon, whose session is not worth to step back: who is not root may do that ten times
 * a second on the whole machine, and the programs that carry backups need it.
 */
export function startHelper(program: string, args: readonly string[], signal: AbortSignal): LocalProcess {
  const child = spawnPiped(program, args, 5, undefined);
  return { ...pipesOf(child), ended: endOf(child, signal) };
}

/**
 * The same for a program in a box: `opener` are the words that open it (the last one is bwrap), and `filter` is its
 * filter of system calls.
 */
export function startBoxed(
  opener: readonly string[],
  args: readonly string[],
  filter: Buffer,
  signal: AbortSignal,
  output?: number,
): LocalProcess {
  // bwrap must outlive SIGTERM, which is for the program in it: when bwrap ends first, its program is killed.
  const words = ['-c', 'trap "" TERM; exec "$@"', 'sh', ...opener, '--seccomp', '5', ...args];
  const child = spawnPiped('/bin/sh', words, 6, output);
  stepBackWith(child);
  const pipes = pipesOf(child);
  (child.stdio as unknown as Writable[])[5]?.end(filter);
  return { ...pipes, ended: endOf(child, signal).then(endingInside) };
}

function spawnPiped(
  program: string,
  args: readonly string[],
  pipes: number,
  output: number | undefined,
): ChildProcess {
  const stdio = Array.from<unknown, 'pipe' | number>({ length: pipes }, () => 'pipe');
  if (output !== undefined) stdio[1] = output;
  const child = spawn(program, args, {
    stdio,
    detached: true,
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  requirePipes(child, program);
  // A pipe that the other side has closed is told by `ended`, not by an exception.
  for (const stream of child.stdio) stream?.on('error', () => {});
  return child;
}

/**
 * Without a descriptor left Node makes no pipes, which its types do not say, and tells of it where nobody could listen yet.
 */
function requirePipes(child: ChildProcess, program: string): void {
  if ((child.stdio as unknown) !== undefined) return;
  child.on('error', () => {});
  const told = { code: 'EMFILE', syscall: `spawn ${program}` };
  throw Object.assign(new Error(`spawn ${program} EMFILE`), told);
}

function stepBackWith({ pid }: ChildProcess): void {
  if (pid !== undefined) stepSessionBack(pid);
}

function pipesOf(child: ChildProcess): Omit<LocalProcess, 'ended'> {
  const stdio = child.stdio as unknown as [Writable, Readable | null, Readable, Writable, Readable];
  return {
    pid: child.pid ?? null,
    stdin: stdio[0],
    stdout: stdio[1] ?? Readable.from([]),
    stderr: stdio[2],
    toProcess: stdio[3],
    fromProcess: stdio[4],
  };
}

/** bwrap tells a signal that ended its program as a shell does. */
function endingInside(ending: Ending): Ending {
  const { code } = ending;
  if (code === null || code <= 128) return ending;
  const name = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return { code: null, signal: name ?? `number ${code - 128}` };
}

/**
 * Starts a program of the administrator as `startProcess` does, but with nothing to read, and in an environment that
 * programs outside of BUSY can work with.
 */
export function startScript(
  program: string,
  args: readonly string[],
  { variables, directory }: { variables: Readonly<Record<string, string>>; directory: string },
  signal: AbortSignal,
): Script {
  const { PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME, LANG } = process.env;
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    cwd: directory,
    env: { PATH, HOME, LANG, ...variables },
  });
  requirePipes(child, program);
  const exited = new Promise<Ending>((resolve) => {
    child.once('exit', (code, endSignal) => resolve({ code, signal: endSignal }));
  });
  return { stdout: child.stdout, stderr: child.stderr, exited, ended: endOf(child, signal) };
}

/** What a program did that was run to its end. */
export interface Outcome {
  readonly ending: Ending;
  /** The first megabyte of what it wrote. */
  readonly out: string;
  readonly err: string;
}

/**
 * Runs a program to its end, however that is. Throws when it could not be started. For local programs that write little;
 * `start` is `startProcess` for those that may take long.
 */
export async function outcomeOfProcess(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  start: typeof startHelper = startHelper,
): Promise<Outcome> {
  const child = start(program, args, signal);
  child.stdin.end();
  const [ending, out, err] = await Promise.all([child.ended, textOf(child.stdout), textOf(child.stderr)]);
  return { ending, out, err };
}

/** As `outcomeOfProcess`, and answers what it wrote. Throws when it fails too. */
export async function runProcess(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  start: typeof startHelper = startHelper,
): Promise<string> {
  const { ending, out, err } = await outcomeOfProcess(program, args, signal, start);
  if (ending.code !== 0) {
    throw new Error(`${program} ended with ${describeEnding(ending)}: ${err.trim().slice(0, 2000)}`);
  }
  return out;
}

export function describeEnding(ending: Ending): string {
  return ending.signal === null ? `code ${ending.code}` : `signal ${ending.signal}`;
}

/** All that comes, or the first megabyte. */
export async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (text.length < 1024 * 1024) text += chunk.toString('utf8');
  }
  return text;
}

function endOf(child: ChildProcess, signal: AbortSignal): Promise<Ending> {
  return new Promise((resolve, reject) => {
    let forced: NodeJS.Timeout | undefined;
    const stop = (): void => {
      killGroup(child, 'SIGTERM');
      forced = setTimeout(() => killGroup(child, 'SIGKILL'), politeMs);
    };
    const finish = (): void => {
      signal.removeEventListener('abort', stop);
      // Its children may live on after SIGTERM.
      if (!isGroupAlive(child)) clearTimeout(forced);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    child.once('error', (error) => {
      finish();
      reject(error);
    });
    child.once('close', (code, endSignal) => {
      finish();
      resolve({ code, signal: endSignal });
    });
  });
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  signalGroup(child, signal);
}

function isGroupAlive(child: ChildProcess): boolean {
  return signalGroup(child, 0);
}

/** Answers false when the group has ended already. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (child.pid === undefined) return false;
  try {
    return process.kill(-child.pid, signal);
  } catch {
    return false;
  }
}
