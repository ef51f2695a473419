import type { Readable } from 'node:stream';

/** Short enough for progress that is shown four times a second. */
const collectMs = 50;
const mostBytes = 256 * 1024;

/**
 * Hands on what a stream says, in pieces of some milliseconds; the answered function hands on at once what waits,
 * as the end of the stream does. rsync writes two or three times for every file, and to parse and log each of these
 * crumbs by itself took a fourth of the CPU time of a backup of small files.
 */
export function takeInBatches(stream: Readable, take: (bytes: Buffer) => void): () => void {
  let pieces: Buffer[] = [];
  let length = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (length === 0) return;
    const bytes = Buffer.concat(pieces, length);
    pieces = [];
    length = 0;
    take(bytes);
  };
  stream.on('data', (bytes: Buffer) => {
    pieces.push(bytes);
    length += bytes.length;
    if (length >= mostBytes) flush();
    else timer ??= setTimeout(flush, collectMs);
  });
  stream.on('end', flush);
  stream.on('close', flush);
  return flush;
}
