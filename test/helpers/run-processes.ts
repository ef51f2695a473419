/** The processes that carry a run out, on the server and on the host. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processTree } from '../../clients/quickstart/process-tree.js';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import type { TestBed } from './test-bed.js';

/** The executor processes of the daemon. */
export async function executorPids(bed: TestBed): Promise<number[]> {
  return withCommand(await bed.daemonChildren(), (command) => command.includes('executor-main.js'));
}

/** The executor process that carries the running backup of a host. */
export async function executorOf(bed: TestBed, host: string): Promise<number> {
  const directory = `${join(bed.backupdir, host)}/`;
  for (const pid of await executorPids(bed)) {
    const members = await processTree(pid);
    const rsync = await withCommand(members, (command) => isOfRsync(command) && command.includes(directory));
    if (rsync.length > 0) return pid;
  }
  throw new Error(`no executor has an rsync for ${host}`);
}

/** The rsync processes that the daemon started. */
export async function localRsyncPids(bed: TestBed): Promise<number[]> {
  return withCommand(await bed.daemonChildren(), isRsync);
}

/** The rsync processes in sessions of a host. */
export async function remoteRsyncPids(sshd: PrivateSshd): Promise<number[]> {
  return withCommand(await processTree(sshd.pid ?? 0), isRsync);
}

/** The processes of the sessions of a host; its sshd goes on to listen without them. */
export async function sessionPids(sshd: PrivateSshd): Promise<number[]> {
  return (await processTree(sshd.pid ?? 0)).filter((pid) => pid !== sshd.pid);
}

/**
 * Everything that works for runs: descendants of the daemon but for the executors, sessions of the hosts, and each
 * process, whoever its parent is by now, that names a path of the test bed.
 */
export async function runPids(bed: TestBed, ...sshds: readonly PrivateSshd[]): Promise<number[]> {
  const lasting = new Set([bed.daemonPid(), ...sshds.map(({ pid }) => pid), ...(await executorPids(bed))]);
  const trees = [await bed.daemonChildren()];
  for (const { pid } of sshds) trees.push(await processTree(pid ?? 0));
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  trees.push(await withCommand(all, (command) => isOfRsync(command) && command.includes(bed.directory)));
  return [...new Set(trees.flat())].filter((pid) => !lasting.has(pid));
}

/** The process id that a script has written into a file. Refuses what would stand for more than one process. */
export async function recordedPid(file: string): Promise<number> {
  const text = (await readFile(file, 'utf8')).trim();
  if (!/^[1-9]\d+$/.test(text)) throw new Error(`${file} holds no process id but "${text}"`);
  return Number(text);
}

async function withCommand(
  pids: readonly number[],
  isWanted: (command: string) => boolean,
): Promise<number[]> {
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return pids.filter((_, index) => isWanted(commands[index] ?? ''));
}

/** Also the box that it runs in, which alone names the directory as it is outside. */
function isOfRsync(command: string): boolean {
  return isRsync(command) || /^(?:\S*\/)?bwrap\0/.test(command);
}

/** Its own name, not that of a connector that hands a command of rsync on. */
function isRsync(command: string): boolean {
  return /^(?:\S*\/)?rsync\0/.test(command);
}
