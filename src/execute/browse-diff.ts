/**
 * Compares two snapshots, entry by entry in the order of a manifest, so that neither has to be in memory. Runs in a
 * thread of its own (`browse-thread.ts`).
 */
import type { DiffStep, DiffSummary, DiffTask, EntryDifference } from '../core/browse.js';
import type { FileEntry } from '../core/file-entry.js';
import { comparePaths, showPath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import { changesBetween, isOnlyMetadata } from '../core/tree-difference.js';
import { hasSameContent } from './browse-content.js';
import { entriesOf, EntryCursor, type EntryPieces } from './browse-entries.js';

const progressEvery = 10_000;

/** The differences, and last the summary. Throws as `Browse` says; PATH_NOT_FOUND when neither has the path. */
export async function* diffSnapshots({ before, after, path }: DiffTask): AsyncGenerator<DiffStep> {
  const pieces: readonly EntryPieces[] = [entriesOf(before, path), entriesOf(after, path)];
  const [old, now] = pieces.map((of) => new EntryCursor(of)) as [EntryCursor, EntryCursor];
  const tally = new Tally();
  try {
    for (let entries = 0; ; entries++) {
      if (old.isEmpty) await old.fill();
      if (now.isEmpty) await now.fill();
      const [was, is] = [old.current, now.current];
      if (!was && !is) break;
      const order = !was ? 1 : !is ? -1 : comparePaths(was.path, is.path);
      if (order <= 0) old.skip();
      if (order >= 0) now.skip();
      const pair = { before: order <= 0 ? was : null, after: order >= 0 ? is : null };
      const judged = differenceOf(pair, { before, after, path });
      // Waiting for each of a million would take longer than comparing them.
      const difference = judged instanceof Promise ? await judged : judged;
      tally.add(difference, pair);
      if (difference) yield { kind: 'difference', difference };
      if (entries % progressEvery === 0) yield { kind: 'progress', entries };
    }
  } finally {
    for (const of of pieces) await of.return(undefined);
  }
  if (tally.isEmpty) {
    const snapshot = `${before.snapshot} or ${after.snapshot}`;
    throw new BusyError('PATH_NOT_FOUND', { path: showPath(path), snapshot });
  }
  yield { kind: 'summary', summary: tally.summary };
}

interface Pair {
  readonly before: FileEntry | null;
  readonly after: FileEntry | null;
}

/** Null when they are the same. A promise only where files may have to be read. */
function differenceOf(
  { before, after }: Pair,
  task: DiffTask,
): EntryDifference | null | Promise<EntryDifference | null> {
  if (!before) return { kind: 'added', before, after, changes: [] };
  if (!after) return { kind: 'removed', before, after, changes: [] };
  const judged = (hasSame: boolean): EntryDifference | null => {
    const changes = changesBetween(before, after, hasSame);
    return changes.length === 0 ? null : { kind: 'changed', before, after, changes };
  };
  if (before.hash !== '' && after.hash !== '') return judged(before.hash === after.hash);
  const isOnDisk = before.hash === '' && after.hash === '' && before.links > 0 && after.links > 0;
  const seen = {
    before: { source: task.before, entry: before },
    after: { source: task.after, entry: after },
  };
  return hasSameContent(seen.before, seen.after, isOnDisk).then(judged);
}

class Tally {
  private readonly added = { entries: 0, bytes: 0 };
  private readonly removed = { entries: 0, bytes: 0 };
  private readonly contentChanged = { entries: 0, bytesBefore: 0, bytesAfter: 0 };
  private readonly metadataChanged = { entries: 0 };
  private readonly unchanged = { entries: 0 };

  get isEmpty(): boolean {
    return Object.values(this.summary).every(({ entries }) => entries === 0);
  }

  get summary(): DiffSummary {
    const { added, removed, contentChanged, metadataChanged, unchanged } = this;
    return { added, removed, contentChanged, metadataChanged, unchanged };
  }

  add(difference: EntryDifference | null, { before, after }: Pair): void {
    const [sizeBefore, sizeAfter] = [before?.size ?? 0, after?.size ?? 0];
    if (!difference) this.unchanged.entries += 1;
    else if (difference.kind === 'added') addTo(this.added, sizeAfter);
    else if (difference.kind === 'removed') addTo(this.removed, sizeBefore);
    else if (isOnlyMetadata(difference.changes)) this.metadataChanged.entries += 1;
    else {
      this.contentChanged.entries += 1;
      this.contentChanged.bytesBefore += sizeBefore;
      this.contentChanged.bytesAfter += sizeAfter;
    }
  }
}

function addTo(count: { entries: number; bytes: number }, bytes: number): void {
  count.entries += 1;
  count.bytes += bytes;
}
