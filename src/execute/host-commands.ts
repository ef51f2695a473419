/**
 * The commands of the administrator on the host, before and after the copying, through the connection of the run. They
 * are handed to the user's shell there as they stand in the configuration.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BusyError, toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import {
  afterAbort,
  describeEnd,
  graceMs,
  isSuccess,
  limitAfter,
  limitBefore,
  type CommandEnd,
  type TimeLimit,
} from './command-end.js';
import { CommandOutput } from './command-output.js';
import { politeMs } from './process.js';
import type { SshChannel, SshConnection } from './ssh.js';

export interface CommandContext {
  readonly host: Host;
  readonly connection: SshConnection;
  /** A line for the log of the run. */
  readonly say: (text: string) => void;
  /** Cancels the run. */
  readonly signal: AbortSignal;
  /** The daemon stops. */
  readonly haste: AbortSignal;
}

/** How long after a cancel the copying may take to end, before the connection is cut after all. */
const workEndMs = 4000;

/**
 * Works between the two commands of a host. post_command runs also when pre_command or `work` fails or the run is
 * cancelled, as long as the connection stands; what becomes of it is only said. Throws PRE_COMMAND_FAILED,
 * CONNECTION_LOST, CANCELLED and what `work` throws.
 */
export async function betweenCommands<T>(context: CommandContext, work: () => Promise<T>): Promise<T> {
  const { preCommand, postCommand } = context.host;
  if (preCommand === '' && postCommand === '') return work();
  // A cut connection would end neither command, and leave no way to run the second.
  context.connection.surviveAbort();
  try {
    if (preCommand !== '') await runPreCommand(context);
    return await endedAfterCancel(context, work);
  } finally {
    if (postCommand !== '') await runPostCommand(context);
  }
}

async function runPreCommand(context: CommandContext): Promise<void> {
  const { host, signal } = context;
  if (signal.aborted) throw new BusyError('CANCELLED');
  const output = new CommandOutput('pre_command', context.say);
  // Its text stays out of the log: it may hold a password.
  context.say('runs pre_command on the host');
  const end = await run(context, host.preCommand, output, limitBefore(host.commandTimeoutMs, signal));
  const ending = describeEnd(end, host.commandTimeoutMs, 'command_timeout');
  context.say(`pre_command ${ending}`);
  if (isSuccess(end)) return;
  throw new BusyError('PRE_COMMAND_FAILED', {
    host: host.name,
    user: host.user,
    ending,
    lastLine: output.lastLine(),
  });
}

async function runPostCommand(context: CommandContext): Promise<void> {
  const { host, say, haste } = context;
  const output = new CommandOutput('post_command', say);
  say('runs post_command on the host');
  try {
    const end = await run(context, host.postCommand, output, limitAfter(host.commandTimeoutMs, haste));
    say(`post_command ${describeEnd(end, host.commandTimeoutMs, 'command_timeout')}`);
  } catch (error) {
    say(`post_command could not be run to its end: ${toBusyError(error).message}`);
  }
}

/** A host that no longer answers keeps the jobs from ending: then the connection is what must go. */
async function endedAfterCancel<T>(
  { signal, connection }: CommandContext,
  work: () => Promise<T>,
): Promise<T> {
  if (signal.aborted) throw new BusyError('CANCELLED');
  let cut: NodeJS.Timeout | undefined;
  const onCancel = (): void => void (cut = setTimeout(() => connection.close(), workEndMs));
  signal.addEventListener('abort', onCancel, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', onCancel);
    clearTimeout(cut);
  }
}

/**
 * Runs a command until it has ended, but does not wait for what it leaves in the background. Throws CONNECTION_LOST.
 */
async function run(
  { host, connection }: CommandContext,
  command: string,
  output: CommandOutput,
  limit: TimeLimit,
): Promise<CommandEnd> {
  const lost = connection.closed.then((detail) => {
    throw new BusyError('CONNECTION_LOST', { host: host.name, detail });
  });
  // Whoever waits for it hears of it; afterwards the connection closes as it should.
  lost.catch(() => {});
  const reached = afterAbort(limit.signal, 0).then(() => null);
  let channel: SshChannel | null = null;
  try {
    channel = await Promise.race([connection.exec(command), reached]);
    if (channel === null) return { how: limit.reason(), isGone: true };
    output.listen(channel.stdout);
    output.listen(channel.stderr);
    channel.stdin.end();
    const { exited, ended } = channel;
    const ending = await Promise.race([exited, ended, lost, reached]);
    if (ending === null) return { how: limit.reason(), isGone: await isEnded(channel) };
    // A channel without a code is how a lost connection shows first.
    const isWhole = ending.code !== null || ending.signal !== null;
    await Promise.race([isWhole ? ended : lost, lost, delay(graceMs)]);
    return { how: 'ended', ending };
  } finally {
    channel?.close();
    limit.end();
    output.end();
  }
}

/** Ends a command and its children on the host, politely first; answers whether that was possible. */
async function isEnded(channel: SshChannel): Promise<boolean> {
  const gone = Promise.race([channel.exited, channel.ended]).then(() => true);
  for (const [signal, ms] of [
    ['TERM', politeMs],
    ['KILL', graceMs],
  ] as const) {
    channel.sendSignal(signal);
    if (await Promise.race([gone, delay(ms, false)])) return true;
  }
  return false;
}
