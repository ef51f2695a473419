/**
 * The source gate: whether what a backup found may count as a good snapshot. Pure. An unmounted source, a deletion by
 * mistake or an encrypting virus looks like any other change to rsync; but a snapshot of it must not push the good
 * ones out. Compared is each source directory with what the newest good snapshot has of it, never with an average:
 * what was acknowledged once is the measure from then on.
 */
import { BusyError, type Failure } from './errors.js';
import { formatBytes, formatCount, formatShare } from './figures.js';
import type { GatePolicy } from './host.js';
import type { HoldReason, SnapshotRecord } from './snapshot.js';

/** What a snapshot has of a source directory. */
export interface SourceCounts {
  readonly source: string;
  /** Files, directories, links and all else; an empty directory itself counts as 1. */
  readonly entries: number;
  /** Regular files; 0 also when the rsync of the host is too old to say. */
  readonly files: number;
  /** Of all regular files. */
  readonly bytes: number;
}

export interface FoundSource extends SourceCounts {
  /** Regular files whose size and time are as in the snapshot that is compared with; null: not known. */
  readonly unchanged: number | null;
}

/** Below these a loss or a change is no alarm, whatever its share is: in a small tree a few files are a large share. */
const leastFiles = 50;
const leastBytes = 100 * 1024 * 1024;

/**
 * The reasons to hold a snapshot; empty when it passes. `before` is what the newest good snapshot has, `beforeName` its
 * name. A source directory that it does not have is not judged.
 */
export function judgeSources(
  policy: GatePolicy,
  found: readonly FoundSource[],
  { before, beforeName }: { readonly before: readonly SourceCounts[]; readonly beforeName: string },
): HoldReason[] {
  const pairs = found.flatMap((now) => {
    const was = before.find(({ source }) => source === now.source);
    return was ? [{ now, was }] : [];
  });
  const reasons = pairs.flatMap(({ now, was }) => judgeSource(policy, now, was));
  // Many small losses may be none to be alarmed at by themselves.
  if (reasons.length === 0 && pairs.length > 1) {
    const now = addUp(pairs.map((pair) => pair.now));
    const was = addUp(pairs.map((pair) => ({ ...pair.was, unchanged: null })));
    reasons.push(...judgeShrink(policy, now, was), ...judgeChange(policy, now, was));
  }
  return reasons.map((reason) => ({ ...reason, message: `${reason.message}, compared with ${beforeName}` }));
}

/** What is said of a snapshot that is held; null for one that is not. */
export function heldFailure({ host, name, heldFor }: SnapshotRecord): Failure | null {
  const [first] = heldFor;
  if (!first) return null;
  const more = heldFor.length > 1 ? ` (and ${heldFor.length - 1} more)` : '';
  return new BusyError('SNAPSHOT_HELD', { host, snapshot: name, why: `${first.message}${more}` }).toFailure();
}

function judgeSource(policy: GatePolicy, now: FoundSource, was: SourceCounts): HoldReason[] {
  const empty = judgeEmpty(policy, now, was);
  if (empty !== null) return empty;
  const shrunk = judgeShrink(policy, now, was);
  return shrunk.length > 0 ? shrunk : judgeChange(policy, now, was);
}

/** Null when the source is not empty, so that the other rules are asked. */
function judgeEmpty({ allowEmpty }: GatePolicy, now: FoundSource, was: SourceCounts): HoldReason[] | null {
  const isEmpty = now.entries <= 1 || (now.files === 0 && was.files > 0);
  const hadSome = was.entries > 1;
  if (!isEmpty || !hadSome) return null;
  if (allowEmpty) return [];
  const files = was.files === 1 ? '1 file' : `${formatCount(was.files)} files`;
  const had = was.files > 0 ? files : `${formatCount(was.entries)} entries`;
  const message = `${now.source} has no files (is it mounted?); it had ${had} and ${formatBytes(was.bytes)}`;
  return [{ code: 'EMPTY_SOURCE', source: now.source, message }];
}

function judgeShrink({ maxShrink }: GatePolicy, now: SourceCounts, was: SourceCounts): HoldReason[] {
  const entries = lossOf(was.entries, now.entries);
  const bytes = lossOf(was.bytes, now.bytes);
  const losses = [
    ...(entries.share > maxShrink && entries.lost >= leastFiles
      ? [
          `${formatCount(now.entries)} entries instead of ${formatCount(was.entries)} (${formatShare(entries.share)} fewer)`,
        ]
      : []),
    ...(bytes.share > maxShrink && bytes.lost >= leastBytes
      ? [`${formatBytes(now.bytes)} instead of ${formatBytes(was.bytes)} (${formatShare(bytes.share)} less)`]
      : []),
  ];
  if (losses.length === 0) return [];
  return [{ code: 'SHRUNK', source: now.source, message: `${named(now)} ${losses.join(' and ')}` }];
}

/**
 * Counted is what is left of the files that there were: files that were changed, renamed or removed count, new ones do
 * not, since a virus that renames what it encrypts must not hide behind its new names.
 */
function judgeChange({ maxChange }: GatePolicy, now: FoundSource, was: SourceCounts): HoldReason[] {
  if (now.unchanged === null || was.files === 0) return [];
  const { lost, share } = lossOf(was.files, now.unchanged);
  if (share <= maxChange || lost < leastFiles) return [];
  const message = `${named(now)} ${formatCount(now.unchanged)} of its ${formatCount(was.files)} files as they were (${formatShare(share)} are changed, renamed or removed)`;
  return [{ code: 'MASS_CHANGE', source: now.source, message }];
}

function named({ source }: SourceCounts): string {
  return source === '' ? 'all source directories together have' : `${source} has`;
}

function lossOf(before: number, now: number): { lost: number; share: number } {
  const lost = Math.max(0, before - now);
  return { lost, share: before === 0 ? 0 : lost / before };
}

function addUp(sources: readonly FoundSource[]): FoundSource {
  const sum = (of: (source: FoundSource) => number): number =>
    sources.reduce((all, source) => all + of(source), 0);
  const isKnown = sources.every(({ unchanged }) => unchanged !== null);
  return {
    source: '',
    entries: sum(({ entries }) => entries),
    files: sum(({ files }) => files),
    bytes: sum(({ bytes }) => bytes),
    unchanged: isKnown ? sum(({ unchanged }) => unchanged ?? 0) : null,
  };
}
