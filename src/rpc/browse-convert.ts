/** From what a look into snapshots answers to the messages of the contract. */
import type { DiffSummary as Summary, EntryDifference, SightingKind } from '../core/browse.js';
import type { FileEntry } from '../core/file-entry.js';
import { showPath, type BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import type { EntryType } from '../core/manifest.js';
import { isOnlyMetadata, type ChangeKind } from '../core/tree-difference.js';
import {
  type DiffSummary,
  DifferenceState,
  type File,
  FileChange,
  type FileDifference,
  FileType,
  FileVersionState,
} from '../gen/busy/v1/browse.js';

const types: Readonly<Record<EntryType, FileType>> = {
  file: FileType.FILE,
  directory: FileType.DIRECTORY,
  symlink: FileType.SYMLINK,
  fifo: FileType.FIFO,
  socket: FileType.SOCKET,
  'character device': FileType.CHARACTER_DEVICE,
  'block device': FileType.BLOCK_DEVICE,
  unknown: FileType.UNKNOWN,
};

const changes: Readonly<Record<ChangeKind, FileChange>> = {
  type: FileChange.TYPE,
  content: FileChange.CONTENT,
  target: FileChange.TARGET,
  mode: FileChange.MODE,
  owner: FileChange.OWNER,
  mtime: FileChange.MTIME,
};

const versionStates: Readonly<Record<SightingKind, FileVersionState>> = {
  absent: FileVersionState.ABSENT,
  first: FileVersionState.FIRST,
  same: FileVersionState.SAME,
  changed: FileVersionState.CHANGED,
  gone: FileVersionState.GONE,
  unknown: FileVersionState.UNKNOWN,
};

export function toFileMessage(entry: FileEntry): File {
  const [path, rawPath] = shown(entry.path);
  const [target, rawTarget] = shown(entry.target);
  const { mode, uid, gid, size, links, hash, error } = entry;
  return {
    path,
    rawPath,
    type: types[entry.type],
    mode,
    uid,
    gid,
    size,
    ...toSeconds(BigInt(entry.mtimeNs)),
    target,
    rawTarget,
    links,
    hash,
    error,
  };
}

/** Throws INVALID_ARGUMENT for a number without a name. */
export function toEntryType(type: FileType): EntryType {
  for (const word in types) if (types[word as EntryType] === type) return word as EntryType;
  throw new BusyError('INVALID_ARGUMENT', {
    field: 'types',
    problem: `${type} is not a type that may be asked for`,
  });
}

export function toFileChanges(kinds: readonly ChangeKind[]): FileChange[] {
  return kinds.map((kind) => changes[kind]);
}

export function toVersionState(kind: SightingKind): FileVersionState {
  return versionStates[kind];
}

export function toDifferenceMessage(difference: EntryDifference): FileDifference {
  const { before, after } = difference;
  return {
    state: stateOf(difference),
    before: before ? toFileMessage(before) : undefined,
    after: after ? toFileMessage(after) : undefined,
    changes: toFileChanges(difference.changes),
  };
}

export function toSummaryMessage(
  { added, removed, contentChanged, metadataChanged, unchanged }: Summary,
  names: Pick<DiffSummary, 'snapshot' | 'otherSnapshot'>,
): DiffSummary {
  return {
    ...names,
    added: added.entries,
    addedBytes: added.bytes,
    removed: removed.entries,
    removedBytes: removed.bytes,
    changed: contentChanged.entries,
    changedBytesBefore: contentChanged.bytesBefore,
    changedBytesAfter: contentChanged.bytesAfter,
    metadata: metadataChanged.entries,
    unchanged: unchanged.entries,
  };
}

/** About how many bytes a message takes on its way. */
export function sizeOfFile({ path, rawPath, target, rawTarget }: File): number {
  return 200 + 3 * (path.length + target.length) + rawPath.length + rawTarget.length;
}

function stateOf({ kind, changes: kinds }: EntryDifference): DifferenceState {
  if (kind === 'added') return DifferenceState.ADDED;
  if (kind === 'removed') return DifferenceState.REMOVED;
  return isOnlyMetadata(kinds) ? DifferenceState.METADATA : DifferenceState.CHANGED;
}

const nothing = Buffer.alloc(0);

/** The text, and the bytes where it is not simply theirs. */
function shown(path: BytePath): [text: string, raw: Buffer] {
  const text = showPath(path);
  if (text === path) return [text, nothing];
  const raw = Buffer.from(path, 'latin1');
  return [text, raw.equals(Buffer.from(text)) ? nothing : raw];
}

function toSeconds(nanoseconds: bigint): Pick<File, 'mtimeSeconds' | 'mtimeNanos'> {
  const nanos = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { mtimeSeconds: Number((nanoseconds - nanos) / 1_000_000_000n), mtimeNanos: Number(nanos) };
}
