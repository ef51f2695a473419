/** The other side of a restore: a host over SSH, or a directory of the server. */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { bytesOf, showPath, type BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import type { RestoreTask } from '../core/executor-port.js';
import { areNested, isIn } from '../core/restore-plan.js';
import { openLocalRsync } from './local-channel.js';
import { isThisMachine } from './own-places.js';
import { reachHost } from './reach.js';
import { receiveCommand, receiveWords, type RestoreCall } from './restore-args.js';
import type { SshChannel } from './ssh.js';

export interface OpenTarget {
  /** For messages. */
  readonly name: string;
  /** Of the rsync there; empty when the key does not allow to ask. */
  readonly version: string;
  /** The server, or a host that is the same machine. */
  readonly isHere: boolean;
  /** Starts the rsync there that receives. */
  open(call: RestoreCall, words: readonly string[]): Promise<SshChannel>;
  /** Settles when the connection to a host has ended, with the reason. */
  readonly closed: Promise<string>;
  close(): void;
}

/** Throws what hinders reaching a host, RSYNC_MISSING, or CANCELLED. */
export async function openTarget(
  { target }: Pick<RestoreTask, 'target'>,
  signal: AbortSignal,
): Promise<OpenTarget> {
  if (target === null) {
    return {
      name: 'the server',
      version: '',
      isHere: true,
      open: async (call, words) => openLocalRsync(receiveWords(call, words), signal),
      closed: new Promise(() => {}),
      close: () => {},
    };
  }
  const { restoreIdentityFile: file } = target;
  // A key of its own for restores is taken from its file, whatever the agent holds.
  const login = file === '' ? target : { ...target, identityFile: file, identityAgent: '' };
  const reached = await reachHost(login, signal);
  const { connection } = reached;
  if (reached.isRsyncMissing) {
    connection.close();
    throw new BusyError('RSYNC_MISSING', { where: `host "${target.name}"` });
  }
  return {
    name: target.name,
    version: reached.rsyncVersion,
    isHere: isThisMachine(reached),
    open: (call, words) => connection.exec(receiveCommand(target, call, words)),
    closed: connection.closed,
    close: () => connection.close(),
  };
}

/**
 * Refuses to write into or over directories of BUSY, by whatever name. `places` are where entries land, each with a
 * slash before it. Throws RESTORE_TARGET_OWN or RESTORE_TARGET_UNUSABLE.
 */
export async function refuseOwn(
  directory: string,
  places: readonly BytePath[],
  own: readonly string[],
): Promise<void> {
  const real = await realOf(directory);
  for (const place of own) {
    const names = [place, await realpath(place).catch(() => place)];
    const into = names.find((name) => isIn(real, name));
    const over = places.find((landing) =>
      names.some((name) => areNested(bytesOf(name), real === '/' ? landing : bytesOf(real) + landing)),
    );
    if (into === undefined && over === undefined) continue;
    const path = into === undefined ? showPath(`${real === '/' ? '' : bytesOf(real)}${over}`) : real;
    throw new BusyError('RESTORE_TARGET_OWN', { path, own: place });
  }
}

/** A directory of the server by its real name; its last part may be missing. Throws RESTORE_TARGET_UNUSABLE. */
async function realOf(directory: string): Promise<string> {
  try {
    return await realpath(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(directory, error);
  }
  try {
    const above = await realpath(dirname(directory));
    if (!(await stat(above)).isDirectory()) throw new Error('what lies above it is no directory');
    return join(above, basename(directory));
  } catch (error) {
    throw unusable(directory, error);
  }
}

function unusable(directory: string, error: unknown): BusyError {
  const detail = error instanceof Error ? error.message : String(error);
  return new BusyError(
    'RESTORE_TARGET_UNUSABLE',
    { directory, where: 'the server', detail },
    { cause: error },
  );
}
