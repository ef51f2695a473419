/**
 * Link health: what of a backup became links, and what would have but for its attributes. Pure. A hard link shares
 * owner, mode and time with its snapshot, so a file of which only these have changed has to be copied: a `chown -R`
 * copies the whole tree once more. That is seen while it happens, and ended before it fills the disk.
 */
import { formatBytes, formatCount } from './figures.js';
import type { GatePolicy } from './host.js';
import type { TransferStats } from './snapshot.js';

/** Some regular files. */
export interface Amount {
  readonly files: number;
  /** Of their contents. */
  readonly bytes: number;
  /** Bytes that they take on the disk, about: in whole blocks. */
  readonly space: number;
}

export const nothing: Amount = { files: 0, bytes: 0, space: 0 };

/** Less space than this is not worth to end a backup for. */
const leastSpace = 100 * 1024 * 1024;
/** Small sources are asked about early, large ones not before so much of them was copied. */
const leastShareToAsk = 0.02;
const blockBytes = 4096;

export function withFile({ files, bytes, space }: Amount, size: number): Amount {
  return {
    files: files + 1,
    bytes: bytes + size,
    space: space + Math.ceil(size / blockBytes) * blockBytes,
  };
}

/**
 * Whether so much was copied for its attributes alone that the whole source has to be compared before more is.
 * `bytesBefore`: the size of the source in the newest good snapshot.
 */
export function isWorthComparing(copied: Amount, bytesBefore: number): boolean {
  return copied.space >= Math.max(leastSpace, leastShareToAsk * bytesBefore);
}

/** Whether it is a mass change: `all` is the source as it is, `differing` what of it differs in attributes alone. */
export function isMassChange({ maxChange }: GatePolicy, all: Amount, differing: Amount): boolean {
  return differing.space >= leastSpace && shareDiffering(all, differing) > maxChange;
}

/** The share of a source that differs in attributes alone, in files or in bytes, whichever is larger. */
export function shareDiffering(all: Amount, differing: Amount): number {
  return Math.max(shareOf(differing.files, all.files), shareOf(differing.bytes, all.bytes));
}

/** What became of the regular files, in one sentence without a full stop. */
export function describeLinks(stats: TransferStats): string {
  const linked = describe(stats.linkedFiles, stats.linkedBytes);
  const copied = describe(stats.copiedFiles, stats.copiedBytes);
  const forAttributes = stats.attributeChangedFiles;
  const why =
    forAttributes > 0
      ? `, ${formatCount(forAttributes)} of them although only their owner, mode or time differs`
      : '';
  return `${linked} are links, ${copied} were copied${why}`;
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.min(1, part / whole);
}

function describe(files: number, bytes: number): string {
  return `${formatCount(files)} files (${formatBytes(bytes)})`;
}
