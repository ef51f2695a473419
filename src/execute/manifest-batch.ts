/**
 * Makes the lines of neighbours in a manifest. Synchronous, and knows nothing of other batches, so that several threads
 * can do it for one manifest.
 */
import { isSameFile, type ManifestEntry, type TreeEntry } from '../core/manifest.js';
import { contentOf, largeBytes, type ReadingTools } from './file-content.js';
import { formatAttributes, formatLine, ManifestUnusable, parseEntry } from './manifest-format.js';
import { ManifestLines, type GatheredLines } from './manifest-lines.js';
import type { ListedPaths } from './tree-listing.js';
import { lookAt } from './tree-walk.js';

/** Plain data. */
export interface ManifestBatch extends ListedPaths {
  /** Of each base, best first, the line of each path; empty when it has none. */
  readonly known: readonly (readonly string[])[];
}

/** The same, as threads tell it to each other: two strings are handed on faster than hundreds. */
export interface PackedBatch extends Pick<ListedPaths, 'directories' | 'errors'> {
  readonly paths: string;
  readonly known: readonly string[];
}

export function pack({ paths, directories, errors, known }: ManifestBatch): PackedBatch {
  return { paths: paths.join('\0'), directories, errors, known: known.map((lines) => lines.join('\n')) };
}

export function unpack({ paths, directories, errors, known }: PackedBatch): ManifestBatch {
  return { paths: paths.split('\0'), directories, errors, known: known.map((lines) => lines.split('\n')) };
}

/**
 * What vanished meanwhile is not in it. Left, unless a base knows them, are files for `LeftFiles`, and directories that
 * were none when they were listed. Throws what `tools.check` throws, nothing else.
 */
export function makeLines(batch: ManifestBatch, tools: ReadingTools): GatheredLines {
  const lines = new ManifestLines();
  batch.paths.forEach((path, at) => {
    tools.check();
    const entry = lookAt(tools.root, path);
    if (!entry) return;
    const known = entry.type === 'file' ? knownLine(entry, batch.known, at) : null;
    if (known === null && isForLater(entry, batch, at)) {
      lines.leave(entry);
      return;
    }
    if (known !== null) lines.addKnown(entry, known);
    else if (entry.type === 'file') lines.addFile(entry, contentOf(entry, tools));
    else lines.addOther(entry, batch.errors.get(at) ?? entry.error);
    tools.onProgress({ entries: 1, bytes: known === null ? 0 : entry.size, current: path });
  });
  return lines.take();
}

function isForLater(entry: TreeEntry, { directories }: ManifestBatch, at: number): boolean {
  if (entry.type === 'directory') return !directories.has(at);
  return entry.type === 'file' && (entry.links > 1 || entry.size > largeBytes);
}

/** The line of a file, when one of the bases has the same file there. */
function knownLine(entry: TreeEntry, known: ManifestBatch['known'], at: number): string | null {
  if (known.length === 0) return null;
  const attributes = formatAttributes(entry);
  for (const lines of known) {
    const line = lines[at] ?? '';
    if (line === '') continue;
    if (isWholeLine(line, attributes)) return line;
    const before = parsed(line);
    if (before && before.hash !== '' && isSameFile(before, entry)) return formatLine(entry, before.hash, '');
  }
  return null;
}

const hashLength = 64;

/** Whether it is the line of a file with these attributes and a hash. Its path is known to be the same. */
function isWholeLine(line: string, attributes: string): boolean {
  const hashEnd = attributes.length + hashLength;
  return (
    line.startsWith(attributes) &&
    line.indexOf(' ', attributes.length) === hashEnd &&
    !line.includes(' ', hashEnd + 1)
  );
}

/** What cannot be read tells nothing; whether its manifest can be used is found out at its end. */
function parsed(line: string): ManifestEntry | null {
  try {
    return parseEntry(line);
  } catch (error) {
    if (error instanceof ManifestUnusable) return null;
    throw error;
  }
}
