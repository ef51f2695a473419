/**
 * A disk of its own that is so small that it can be filled: a file system in memory. To mount one takes root; on a
 * machine where the tests run as someone else, sudo without a password must be allowed for it.
 */
import { runCommand } from './run-command.js';

export interface SmallDisk {
  /** Makes it larger or smaller, with all that is on it. */
  resize(size: string): Promise<void>;
  /** So many files and directories may be on it in all. */
  limitInodes(count: number): Promise<void>;
  unmount(): Promise<void>;
}

/** Mounts it; `size` as in the option of tmpfs, such as 2m. */
export async function mountSmallDisk(directory: string, size: string, inodes = 100_000): Promise<SmallDisk> {
  const owner = `uid=${process.getuid?.() ?? 0},gid=${process.getgid?.() ?? 0},mode=0755`;
  const options = `size=${size},nr_inodes=${inodes}`;
  await asRoot(['mount', '-t', 'tmpfs', '-o', `${options},${owner}`, 'busy-test', directory]);
  return {
    resize: (newSize) => asRoot(['mount', '-o', `remount,size=${newSize}`, directory]),
    limitInodes: (count) => asRoot(['mount', '-o', `remount,nr_inodes=${count}`, directory]),
    unmount: () => asRoot(['umount', directory]),
  };
}

/** Mounts one that keeps no extended attributes and no ACLs; answers what takes it away. */
export async function mountForgetfulDisk(directory: string): Promise<() => Promise<void>> {
  await asRoot(['mount', '-t', 'ramfs', 'busy-test', directory]);
  return () => asRoot(['umount', directory]);
}

async function asRoot(command: readonly string[]): Promise<void> {
  const [program = '', ...args] = process.getuid?.() === 0 ? command : ['sudo', '-n', ...command];
  const { code, stderr } = await runCommand(program, args);
  if (code !== 0) throw new Error(`${command.join(' ')} failed, which needs root: ${stderr}`);
}
