/** Which entries of a snapshot a restore sends, and where they land. Pure. */
import { bytesOf, showPath, textOf, type BytePath } from './byte-path.js';
import { BusyError } from './errors.js';
import type { Host } from './host.js';
import type { RestoreWish } from './restore.js';
import { isHeld, type SnapshotRecord } from './snapshot.js';

export interface RestorePlan {
  /** What is sent, absolute on the host. */
  readonly entries: readonly BytePath[];
  /** Whether they land at their own paths, or below the target under their last names. */
  readonly keepsPaths: boolean;
  /** Directories above the entries whose attributes the snapshot has, highest first; made where they are missing. */
  readonly parents: readonly BytePath[];
}

export interface StoredTop {
  /** The source directories of the snapshot. */
  readonly sources: readonly string[];
  /** The names at the top of its data. */
  readonly names: readonly BytePath[];
}

/**
 * Plans a restore. A path above source directories stands for them, since what lies above was never copied; `/` stands
 * for all that is there. Throws INVALID_ARGUMENT when two paths would land in one place.
 */
export function planRestore({ paths, target }: RestoreWish, top: StoredTop): RestorePlan {
  const sources = top.sources.map(bytesOf);
  const all = top.names.map((name) => `/${name}`);
  if (target.kind === 'original') {
    const entries = withoutNested(paths.flatMap((path) => expand(path, sources, all)));
    const parents = [...new Set(entries.flatMap((entry) => parentsOf(entry, sources)))].sort(byDepth);
    return { entries, keepsPaths: true, parents };
  }
  const entries = [...new Set(paths.flatMap((path) => (path === '/' ? all : [path])))];
  refuseSameNames(entries);
  return { entries, keepsPaths: false, parents: [] };
}

/** Where an entry lands below the target, with a slash before it. */
export function landing(entry: BytePath, { keepsPaths }: Pick<RestorePlan, 'keepsPaths'>): BytePath {
  return keepsPaths ? entry : entry.slice(entry.lastIndexOf('/'));
}

/** Whether one of two absolute paths is the other or lies in it. */
export function areNested(a: string, b: string): boolean {
  return isIn(a, b) || isIn(b, a);
}

/** Whether a path is the directory or lies in it. */
export function isIn(path: string, directory: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}

/**
 * Rules that keep a mirror from deleting what backups leave out. `patterns` are those of the host, which begin at each
 * source directory when they begin with a slash.
 */
export function protectRules(
  plan: RestorePlan,
  sources: readonly string[],
  patterns: readonly string[],
): string[] {
  const rules = patterns.flatMap((pattern) => {
    if (!pattern.startsWith('/')) return [pattern];
    const places = sources.map((source) => `${source === '/' ? '' : source}${pattern}`);
    return plan.keepsPaths ? places : places.flatMap((place) => landingsOf(place, plan.entries));
  });
  return [...new Set(rules)].map((rule) => `P ${rule}`);
}

/** Where a pattern with the path of the host lands below a target directory. */
function landingsOf(place: string, entries: readonly BytePath[]): string[] {
  const parts = place.split('/');
  return entries.flatMap((entry) => {
    const names = (textOf(entry) ?? entry).split('/');
    const fits = names.every((name, at) => parts[at] === name || /[*?[]/.test(parts[at] ?? ''));
    // A double star may stand for any number of names.
    if (parts.includes('**')) return [`**/${parts.at(-1)}`];
    return fits && parts.length >= names.length
      ? [`/${[names.at(-1), ...parts.slice(names.length)].join('/')}`]
      : [];
  });
}

function expand(path: BytePath, sources: readonly BytePath[], all: readonly BytePath[]): readonly BytePath[] {
  const isInSource = sources.some((source) => isIn(path, source));
  if (path === '/') return isInSource ? all : sources;
  const below = sources.filter((source) => isIn(source, path));
  return isInSource || below.length === 0 ? [path] : below;
}

function withoutNested(entries: readonly BytePath[]): BytePath[] {
  const unique = [...new Set(entries)];
  return unique.filter((entry) => !unique.some((other) => other !== entry && isIn(entry, other)));
}

/** Those at or below a source directory: of others the snapshot knows nothing. */
function parentsOf(entry: BytePath, sources: readonly BytePath[]): BytePath[] {
  const parts = entry.split('/');
  const above = parts.slice(2).map((_, index) => parts.slice(0, index + 2).join('/'));
  return above.filter((parent) => sources.some((source) => isIn(parent, source)));
}

function byDepth(a: BytePath, b: BytePath): number {
  return a.split('/').length - b.split('/').length || (a < b ? -1 : 1);
}

function refuseSameNames(entries: readonly BytePath[]): void {
  const seen = new Map<BytePath, BytePath>();
  for (const entry of entries) {
    const place = landing(entry, { keepsPaths: false });
    const other = seen.get(place);
    if (other !== undefined) {
      const problem = `"${showPath(other)}" and "${showPath(entry)}" would land in the same place`;
      throw new BusyError('INVALID_ARGUMENT', {
        field: 'paths',
        problem,
        allowed: 'Restore them one after the other, into different directories.',
      });
    }
    seen.set(place, entry);
  }
}

/** Why a restore may not delete anything at its target, or null. */
export function mirrorRefusal(
  { mode, paths, target }: RestoreWish,
  { rsyncOpts }: Pick<Host, 'rsyncOpts'>,
  snapshot: Pick<SnapshotRecord, 'outcome' | 'heldFor' | 'sources'>,
): string | null {
  if (mode !== 'mirror') return null;
  if (paths.includes('/')) return 'a mirror of / would delete all that was never backed up';
  if (target.kind !== 'original' && target.directory === '/')
    return 'a mirror below / could delete any directory there';
  const above = paths.find((path) => !snapshot.sources.map(bytesOf).some((source) => isIn(path, source)));
  if (above !== undefined)
    return `"${showPath(above)}" is not, or not in, a source directory of the snapshot`;
  if (snapshot.outcome === 'PARTIAL') return 'files are missing from the snapshot, and would be deleted';
  if (isHeld(snapshot)) return 'the snapshot is held, since its source was not as it should be';
  const leavesOut =
    /^--(include|filter|max-size|min-size)=|^--(prune-empty-dirs|safe-links|no-links|no-l|no-devices|no-specials|no-D)$|^-[A-Za-z]*m/;
  const option = rsyncOpts.find((one) => leavesOut.test(one));
  return option === undefined ? null : `the backups of the host leave files out (rsync_opts ${option})`;
}
