/**
 * A unix socket that is never open to more than its owner and group. It is bound in a private directory beside its
 * place, gets its mode there and is then renamed into place: no moment with wider rights, no change of the umask
 * (which is the whole process's), and the socket of a dead daemon is replaced in one step.
 */
import { chmod, chown, lstat, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import { EndpointError } from './endpoint.js';

/** The system's limit for the path of a socket, without its end mark. */
const longestPathBytes = 107;

/**
 * Makes the socket `file` (mode 0660, for the group that is named or numbered, if any; its directory 0750 when missing)
 * by binding with `bind`. Answers a function that removes it again. Throws an EndpointError when a daemon answers there, or something else is in the way.
 */
export async function bindUnixSocket(
  file: string,
  group: string,
  bind: (temporary: string) => Promise<void>,
): Promise<() => Promise<void>> {
  const directory = path.dirname(file);
  const temporaryPattern = path.join(directory, '.busy-');
  const longest = Math.max(Buffer.byteLength(file), Buffer.byteLength(`${temporaryPattern}XXXXXX/s`));
  if (longest > longestPathBytes) {
    throw new EndpointError(
      `The path of the socket ${file} is ${longest - longestPathBytes} bytes too long. Choose a shorter one.`,
    );
  }
  await mkdir(directory, { recursive: true, mode: 0o750 });
  await refuseUnlessStale(file);
  const temporaryDirectory = await mkdtemp(temporaryPattern);
  try {
    const temporary = path.join(temporaryDirectory, 's');
    await bind(temporary);
    if (group !== '') await giveTo(group, temporary);
    await chmod(temporary, 0o660);
    const { ino } = await lstat(temporary);
    await rename(temporary, file);
    return () => removeOwn(file, ino);
  } finally {
    await rm(temporaryDirectory, { recursive: true, force: true });
  }
}

async function refuseUnlessStale(file: string): Promise<void> {
  const entry = await lstatOrNull(file);
  if (!entry) return;
  if (!entry.isSocket()) {
    throw new EndpointError(`${file} is not a socket. Move it away, or choose another path for the socket.`);
  }
  if (await isAnswered(file)) {
    throw new EndpointError(`A daemon already listens on ${file}. Stop it first, or choose another path.`);
  }
}

async function giveTo(group: string, file: string): Promise<void> {
  try {
    await chown(file, -1, await numberOf(group));
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const message = `socket_group: the socket cannot be given to the group ${group}: ${what}. Name a group of this system, or its number, that the daemon belongs to.`;
    throw new EndpointError(message, { cause: error });
  }
}

async function numberOf(group: string): Promise<number> {
  if (/^\d+$/.test(group)) return Number(group);
  const lines = (await readFile('/etc/group', 'utf8')).split('\n').map((line) => line.split(':'));
  const number = lines.find(([name]) => name === group)?.[2];
  if (number === undefined) throw new Error('there is no such group in /etc/group');
  return Number(number);
}

/** Whether a process accepts connections there; only a refusal proves that none does. */
function isAnswered(file: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(file);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') return resolve(false);
      if (error.code === 'EAGAIN') return resolve(true);
      const message = `The socket ${file} is in use or cannot be tried: ${error.message}.`;
      reject(new EndpointError(message, { cause: error }));
    });
  });
}

/** Leaves the socket of a daemon that has taken the place meanwhile. */
async function removeOwn(file: string, ino: number): Promise<void> {
  const entry = await lstatOrNull(file);
  if (entry?.ino === ino) await rm(file, { force: true });
}

async function lstatOrNull(file: string): Promise<Awaited<ReturnType<typeof lstat>> | null> {
  return lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}
