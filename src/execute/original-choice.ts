/**
 * Finds out what must be taken out of an archive without a manifest of ours to have some of its entries: one of the
 * original BUSY, of a snapshot of it, or one of ours whose json was lost. All that is known of it is the tarball, so that
 * is listed. Runs in a thread of its own (`disk-thread.ts`).
 */
import type { ArchiveFormat } from '../core/archive.js';
import { bytesOf, showPath, textOf, type BytePath } from '../core/byte-path.js';
import { isAmong, parentsOf } from '../core/download.js';
import { BusyError } from '../core/errors.js';
import { listTarball, type ListedMember } from './tar-listing.js';
import type { DiskWorkHooks } from './manifest.js';
import { sourceOfFlatName } from './original-store.js';

export interface OriginalChoiceTask {
  /** The tarball. */
  readonly archive: string;
  readonly format: ArchiveFormat;
  /** The name of the snapshot. */
  readonly snapshot: string;
  /** The source directories of the host now. */
  readonly srcdirs: readonly string[];
  /** Absolute on the host, or as they lie in the snapshot (`/_etc_ssh/...`); `/` is all. */
  readonly paths: readonly BytePath[];
}

/** A directory at the top of a snapshot of the original BUSY, and the source directory that it is. */
export interface OriginalSource {
  readonly name: BytePath;
  readonly path: BytePath;
}

export interface OriginalChoiceReport {
  /** What the tarball calls the snapshot. */
  readonly top: BytePath;
  /** Whether it is of a snapshot with `data`, as ours. */
  readonly hasData: boolean;
  /** Empty where it has `data`. */
  readonly sources: readonly OriginalSource[];
  /** The paths that were asked for, absolute on the host. */
  readonly paths: readonly BytePath[];
  /** As the tarball calls them; a directory stands for all that is below it. */
  readonly members: readonly BytePath[];
  /** Directories above what was asked for, highest first. */
  readonly parents: readonly BytePath[];
  /** What the members take, holes included; without what they are links of. */
  readonly bytes: number;
}

/** Throws PATH_NOT_FOUND, ARCHIVE_NOT_RESTORABLE or CANCELLED. */
export async function chooseFromOriginal(
  task: OriginalChoiceTask,
  { check }: Pick<DiskWorkHooks, 'check'>,
): Promise<OriginalChoiceReport> {
  const { archive, format, snapshot } = task;
  const name = bytesOf(snapshot);
  const flat = new Choice(task.paths, new FlatNames(task.srcdirs));
  const ours = new Choice(task.paths, dataNames);
  let top = null as BytePath | null;
  let hasJson = false;
  await forEachMember({ archive, format }, check, (member) => {
    top ??= topOf(member.path, name);
    if (top === null || !member.path.startsWith(`${top}/`)) return;
    const path = member.path.slice(top.length);
    hasJson ||= path === '/snapshot.json';
    const target = member.target.startsWith(`${top}/`) ? member.target.slice(top.length) : '';
    for (const choice of [flat, ours]) choice.take({ ...member, path, target });
  });
  if (top === null) {
    const detail = `there is no directory ${snapshot} in it`;
    throw new BusyError('ARCHIVE_NOT_RESTORABLE', { archive, detail });
  }
  const { names, ...chosen } = (hasJson ? ours : flat).chosen();
  const paths = task.paths.map((path) => (names.areGiven ? names.onHost(path) : null) ?? path);
  const missing = task.paths.find((path) => !chosen.found.has(path));
  if (missing !== undefined) throw new BusyError('PATH_NOT_FOUND', { path: showPath(missing), snapshot });
  const inTarball = (path: BytePath): BytePath => `${top}${path}`;
  return {
    top,
    hasData: hasJson,
    sources: hasJson ? [] : flat.chosen().names.sources(),
    paths,
    members: chosen.members.map(inTarball),
    parents: chosen.parents.map(inTarball),
    bytes: chosen.bytes,
  };
}

/** Whatever keeps it from being listed, it cannot be restored from now. */
async function forEachMember(
  { archive, format }: Pick<OriginalChoiceTask, 'archive' | 'format'>,
  check: () => void,
  take: (member: ListedMember) => void,
): Promise<void> {
  try {
    for await (const member of listTarball(archive, format, check)) take(member);
  } catch (error) {
    if (error instanceof BusyError) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new BusyError('ARCHIVE_NOT_RESTORABLE', { archive, detail }, { cause: error });
  }
}

/** The path up to the directory of this name; null when it is not in it. */
function topOf(path: BytePath, name: BytePath): BytePath | null {
  const parts = path.split('/');
  const at = parts.indexOf(name);
  return at < 0 ? null : parts.slice(0, at + 1).join('/');
}

/** How a snapshot names what it holds. */
interface Names {
  /** Of a path in the snapshot that on the host; null for what is not of the host. */
  onHost(path: BytePath): BytePath | null;
  /** Whether paths in the snapshot are asked for too, since that is how they are listed. */
  readonly areGiven: boolean;
  /** Hears of a directory. */
  takeDirectory(path: BytePath): void;
  sources(): readonly OriginalSource[];
}

const dataNames: Names = {
  areGiven: false,
  onHost: (path) => (path === '/data' ? '/' : path.startsWith('/data/') ? path.slice('/data'.length) : null),
  takeDirectory: () => {},
  sources: () => [],
};

class FlatNames implements Names {
  readonly areGiven = true;
  private readonly known = new Map<BytePath, BytePath>();

  constructor(private readonly srcdirs: readonly string[]) {}

  takeDirectory(path: BytePath): void {
    const name = path.slice(1);
    if (name === '' || name.includes('/')) return;
    const text = textOf(name);
    const source = text === null ? sourceOfFlatName(name, []) : bytesOf(sourceOfFlatName(text, this.srcdirs));
    this.known.set(name, source);
  }

  onHost(path: BytePath): BytePath | null {
    const [, name = ''] = path.split('/', 2);
    const source = this.known.get(name);
    if (source === undefined) return null;
    const below = path.slice(name.length + 1);
    return source === '/' ? below || '/' : `${source}${below}`;
  }

  sources(): readonly OriginalSource[] {
    return [...this.known].map(([name, path]) => ({ name, path }));
  }
}

/** Takes member after member, and keeps what is wanted. */
class Choice {
  private readonly wanted: ReadonlySet<BytePath>;
  private readonly above: ReadonlySet<BytePath>;
  private readonly found = new Set<BytePath>();
  private readonly members = new Set<BytePath>();
  private readonly parents: BytePath[] = [];
  private bytes = 0;

  constructor(
    paths: readonly BytePath[],
    private readonly names: Names,
  ) {
    this.wanted = new Set(paths);
    this.above = new Set(paths.flatMap(parentsOf));
  }

  take({ path, type, bytes, target }: ListedMember): void {
    if (type === 'directory') this.names.takeDirectory(path);
    const place = this.names.onHost(path);
    if (place === null) return;
    const places = this.names.areGiven ? [place, path] : [place];
    const asked = places.flatMap((one) => [one, ...parentsOf(one)]).find((one) => this.wanted.has(one));
    if (asked === undefined) {
      if (type === 'directory' && place !== '/' && places.some((one) => this.above.has(one)))
        this.parents.push(path);
      return;
    }
    this.found.add(asked);
    this.bytes += bytes;
    // Of a name below another one tar would say that it did not find it.
    if (!isAmong(this.members, path)) this.members.add(path);
    if (type === 'link' && target !== '' && !isAmong(this.members, target)) this.members.add(target);
  }

  chosen(): {
    readonly names: Names;
    readonly found: ReadonlySet<BytePath>;
    readonly members: readonly BytePath[];
    readonly parents: readonly BytePath[];
    readonly bytes: number;
  } {
    const { names, found, parents, bytes } = this;
    return { names, found, members: [...this.members], parents, bytes };
  }
}
