/** Whether a snapshot is what the model says: its data, its type, and what it shares with others. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BackupType, type Run } from '../../src/gen/busy/v1/run.js';
import type { Snapshot } from '../../src/gen/busy/v1/snapshot.js';
import { compareWithModel, isAlike, type FileInodes } from './compare.js';
import { refuse } from './disagreement.js';
import { shown } from './names.js';
import { expectedLinkBases, expectedType } from './rules.js';
import type { KnownSnapshot, SoakHost } from './soak-host.js';
import type { Inode, Tree } from './source-tree.js';
import type { World } from './world.js';

export interface NewSnapshot {
  readonly world: World;
  readonly host: SoakHost;
  /** The run that made it. */
  readonly run: Run;
  readonly snapshot: Snapshot;
  /** The snapshots that were there, oldest first. */
  readonly before: readonly string[];
  /** Those of them that stay, when the daemon has removed the others by new settings before the backup began. */
  readonly pruned: readonly string[];
}

/** Checks a snapshot that was made of the source as it is now, and answers what it must hold from now on. */
export function judgeNewSnapshot(made: NewSnapshot): KnownSnapshot {
  const { world, host, run, snapshot } = made;
  const what = `snapshot ${snapshot.name} of ${host.name}`;
  refuse(what, wrongFacts(made));
  const truths = host.freeze();
  const inodes = compareAll(world, host, snapshot.name, truths);
  refuse(
    what,
    run.type === BackupType.FULL
      ? sharedFiles(host, inodes)
      : copiedFiles(host, snapshot.linkBases, truths, inodes),
  );
  return { truths, inodes };
}

/** Compares all that is there of a host with what it held when it was made. */
export function checkAllSnapshots(world: World, host: SoakHost): void {
  for (const [name, { truths }] of host.snapshots) compareAll(world, host, name, truths);
}

function compareAll(world: World, host: SoakHost, name: string, truths: readonly Tree[]): FileInodes[] {
  const isIncremental = name.endsWith('i');
  return truths.map((truth, index) => {
    const root = host.trees[index]?.root ?? '';
    const directory = join(world.directoryOf(host), name, 'data', root);
    const { differences, inodes } = compareWithModel(directory, truth, isIncremental);
    refuse(`${directory} is not what ${root} was`, differences);
    return inodes;
  });
}

function wrongFacts({ world, host, run, snapshot, before, pruned }: NewSnapshot): string[] {
  const wrong: string[] = [];
  const types = [before, pruned].map((names) => expectedType(run.requestedType, names, host.maxIncr));
  const type = types.find((one) => one === snapshot.type) ?? types[0] ?? BackupType.FULL;
  const expectEqual = (what: string, is: string, mustBe: string): void => {
    if (is !== mustBe) wrong.push(`${what} is "${is}", not "${mustBe}"`);
  };
  expectEqual('its type', BackupType[snapshot.type], BackupType[type]);
  expectEqual('the type of its run', BackupType[run.type], BackupType[type]);
  expectEqual('the letter of its name', snapshot.name.slice(-1), type === BackupType.FULL ? 'f' : 'i');
  expectEqual('its run', snapshot.runId, run.id);
  expectEqual('its link bases', snapshot.linkBases.join(' '), expectedLinkBases(type, before).join(' '));
  const directory = join(world.directoryOf(host), snapshot.name);
  const json = JSON.parse(readFileSync(join(directory, 'snapshot.json'), 'utf8')) as Record<string, unknown>;
  expectEqual('the run in snapshot.json', String(json.runId), run.id);
  expectEqual('the name in snapshot.json', String(json.name), snapshot.name);
  if (readdirSync(directory).includes('partial.json')) wrong.push('it still has partial.json');
  return wrong;
}

/** A full snapshot must share nothing with those that are there. */
function sharedFiles(host: SoakHost, inodes: readonly FileInodes[]): string[] {
  const others = new Set(
    [...host.snapshots.values()].flatMap((known) => known.inodes.flatMap((of) => [...of.values()])),
  );
  return inodes.flatMap((of) =>
    [...of]
      .filter(([, inode]) => others.has(inode))
      .map(([path]) => `${shown(path)} is shared, though it is full`),
  );
}

/** In an incremental one what did not change must be a link into a base, or into an unfinished backup. */
function copiedFiles(
  host: SoakHost,
  bases: readonly string[],
  truths: readonly Tree[],
  inodes: readonly FileInodes[],
): string[] {
  return truths.flatMap((truth, index) => {
    const links = linksOf(truth);
    const known = bases.flatMap((base) => host.snapshots.get(base) ?? []);
    const tries = known.map((base) => ({ tree: base.truths[index], inodes: base.inodes[index] }));
    const usable = tries.map(({ tree, inodes: of }) => ({
      links: linksOf(tree ?? new Map()),
      tree,
      inodes: of,
    }));
    return [...(inodes[index] ?? [])].flatMap(([path, inode]) => {
      const linked = links.get(path);
      // Where links came or went, rsync may begin with a path that the base does not have.
      const same = usable.filter(
        (base) => isUnchanged(truth, base.tree, path) && base.links.get(path) === linked,
      );
      if (same.length === 0 || same.some((base) => base.inodes?.get(path) === inode)) return [];
      return host.partialInodes.has(inode) ? [] : [`${shown(path)} did not change, but is a copy`];
    });
  });
}

function isUnchanged(tree: Tree, base: Tree | undefined, path: string): boolean {
  const now = tree.get(path);
  const then = base?.get(path);
  return now !== undefined && then !== undefined && isAlike(now, then);
}

/** All paths of the file that a path leads to, as one text. */
function linksOf(tree: Tree): ReadonlyMap<string, string> {
  const paths = new Map<Inode, string[]>();
  for (const [path, inode] of tree) paths.set(inode, [...(paths.get(inode) ?? []), path]);
  return new Map([...tree].map(([path, inode]) => [path, (paths.get(inode) ?? []).sort().join('\0')]));
}
