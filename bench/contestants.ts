/** Who copies the trees, and what all of them have in common. */
import type { PrivateSshd } from '../clients/quickstart/private-sshd.js';
import { runCommand } from '../test/helpers/run-command.js';
import type { TestBed } from '../test/helpers/test-bed.js';
import type { Measurement } from './measurement.js';

/** Has one tree in hand at a time: that which `full` was called with last. */
export interface Contestant {
  readonly name: string;
  /** Copies a tree wholly. */
  full(tree: string): Promise<Measurement>;
  /** Copies it again, after the last copy, from which it takes over what has not changed. */
  incremental(tree: string): Promise<Measurement>;
  /** Null where it has no way of its own, but leaves that to rsync. */
  readonly restore: Restore | null;
  /** Removes all copies of a tree. */
  clear(tree: string): Promise<void>;
}

export interface Restore {
  /**
   * Writes the newest copy of a tree over ssh below a directory of the host, which is empty; only one file of it, when
   * `file` names one, relative to the tree.
   */
  carryOut(tree: string, file: string | null, into: string): Promise<Measurement>;
  /** Where the tree, or the file, lies then. */
  placeOf(tree: string, file: string | null, into: string): string;
}

export interface Place {
  readonly directory: string;
  readonly bed: TestBed;
  readonly sshd: PrivateSshd;
}

/** Runs a program to its end and answers what it printed. Throws when it ends with another code than 0. */
export async function must(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { code, stdout, stderr } = await runCommand(program, args, env);
  if (code !== 0) throw new Error(`${program} ended with code ${code}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

/** Writes out what lies below a directory, as the daemon does it before it commits. */
export async function flush(directory: string): Promise<void> {
  await must('sync', ['-f', '--', directory]);
}
