/** Whether a directory holds exactly what the model says. */
import * as fs from 'node:fs';
import { digestOf } from './content.js';
import { bytePath, inDirectory, shown } from './names.js';
import type { Inode, Tree } from './source-tree.js';

/** What was found, in the terms of the model, and by which inode of the file system. */
export interface Found {
  readonly kind: string;
  readonly mode: number;
  readonly mtimeNs: bigint;
  /** Sum of a file, target of a symlink. */
  readonly body: string;
  readonly inode: bigint;
}

/** The inode numbers of a snapshot's files, by path. */
export type FileInodes = ReadonlyMap<string, bigint>;

export interface Comparison {
  /** One sentence each; none when the directory is what the model says. */
  readonly differences: readonly string[];
  readonly inodes: FileInodes;
}

/**
 * Compares contents, modes, times, link groups and targets. `mayMerge`: files that are alike in everything may be one
 * file, though they were two on the host. With link bases rsync cannot avoid that: each was linked to its own path of
 * the base, where the two were links of one file.
 */
export function compareWithModel(directory: string, tree: Tree, mayMerge: boolean): Comparison {
  const differences: string[] = [];
  const found = readTree(directory);
  for (const path of found.keys())
    if (!tree.has(path)) differences.push(`${shown(path)} should not be there`);
  for (const [path, inode] of tree) differences.push(...differencesAt(path, inode, found.get(path)));
  if (differences.length === 0) differences.push(...wrongLinks(tree, found, mayMerge));
  const files = [...found].filter(([, { kind }]) => kind === 'file');
  return { differences, inodes: new Map(files.map(([path, { inode }]) => [path, inode])) };
}

function differencesAt(path: string, { body, mode, mtimeNs }: Inode, found: Found | undefined): string[] {
  if (!found) return [`${shown(path)} is missing`];
  if (found.kind !== body.kind) return [`${shown(path)} is a ${found.kind}, not a ${body.kind}`];
  const differences: string[] = [];
  if (body.kind === 'file' && found.body !== body.content.digest())
    differences.push(`${shown(path)} has another content than that of ${body.content.size} bytes`);
  if (body.kind === 'symlink' && found.body !== body.target)
    differences.push(`${shown(path)} points to ${shown(found.body)}, not to ${shown(body.target)}`);
  if (body.kind !== 'symlink' && found.mode !== mode)
    differences.push(`${shown(path)} has the mode ${found.mode.toString(8)}, not ${mode.toString(8)}`);
  if (found.mtimeNs !== mtimeNs) differences.push(`${shown(path)} is of ${found.mtimeNs}, not of ${mtimeNs}`);
  return differences;
}

/** For trees that differ in nothing else. */
function wrongLinks(tree: Tree, found: ReadonlyMap<string, Found>, mayMerge: boolean): string[] {
  const wrong: string[] = [];
  const firstPaths = new Map<Inode, string>();
  const owners = new Map<bigint, string>();
  for (const [path, inode] of tree) {
    const number = found.get(path)?.inode;
    if (inode.body.kind !== 'file' || number === undefined) continue;
    const linked = firstPaths.get(inode);
    if (linked === undefined) firstPaths.set(inode, path);
    else if (found.get(linked)?.inode !== number)
      wrong.push(`${shown(path)} and ${shown(linked)} are not links`);
    const owner = owners.get(number);
    if (owner === undefined) owners.set(number, path);
    else if (!isSameInode(tree.get(owner), inode, mayMerge))
      wrong.push(`${shown(path)} and ${shown(owner)} are links of one file, but were not on the host`);
  }
  return wrong;
}

function isSameInode(one: Inode | undefined, other: Inode, mayMerge: boolean): boolean {
  if (one === other) return true;
  return mayMerge && one !== undefined && isAlike(one, other);
}

/** Whether rsync must take two files for unchanged. */
export function isAlike(one: Inode, other: Inode): boolean {
  return (
    one.body.kind === 'file' &&
    other.body.kind === 'file' &&
    one.mode === other.mode &&
    one.mtimeNs === other.mtimeNs &&
    one.body.content.digest() === other.body.content.digest()
  );
}

/** Everything below a directory, by path; '' is itself. */
export function readTree(root: string): Map<string, Found> {
  const found = new Map<string, Found>();
  const sums = new Map<bigint, string>();
  const read = (path: string): void => {
    const at = bytePath(root, path);
    const stats = fs.lstatSync(at, { bigint: true });
    const facts = { mode: Number(stats.mode & 0o7777n), mtimeNs: stats.mtimeNs, inode: stats.ino };
    if (stats.isDirectory()) {
      found.set(path, { ...facts, kind: 'directory', body: '' });
      for (const name of fs.readdirSync(at, 'buffer')) read(inDirectory(path, name.toString('latin1')));
    } else if (stats.isSymbolicLink()) {
      const body = fs.readlinkSync(at, 'buffer').toString('latin1');
      found.set(path, { ...facts, kind: 'symlink', body });
    } else {
      const sum = sums.get(stats.ino) ?? digestOf(fs.readFileSync(at));
      sums.set(stats.ino, sum);
      found.set(path, { ...facts, kind: 'file', body: sum });
    }
  };
  read('');
  return found;
}
