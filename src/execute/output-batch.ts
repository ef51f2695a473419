import type { Readable } from 'node:stream';

/** Takes bytes; answers a promise when nothing more should come before it settles. */
export type TakeBytes = (bytes: Buffer) => Promise<void> | null | void;

/** Short enough for progress that is shown four times a second. */
const collectMs = 50;
const mostBytes = 256 * 1024;

/** Hands on what a stream says, and holds the stream while the taker is behind. */
export function takeAll(stream: Readable, take: TakeBytes): void {
  stream.on('data', (bytes: Buffer) => holdWhile(take(bytes), stream));
}

/**
 * Hands on what a stream says, in pieces of some milliseconds, and holds the stream while the taker is behind; the
 * answered function hands on at once what waits, as the end of the stream does. For the report of an rsync on a host,
 * which comes over the connection; one on the server has a pipe of its own (`report-pipe.ts`).
 */
export function takeInBatches(stream: Readable, take: TakeBytes): () => void {
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
    holdWhile(take(bytes), stream);
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

function holdWhile(behind: Promise<void> | null | void, stream: Readable): void {
  if (!behind) return;
  stream.pause();
  void behind.then(() => stream.resume());
}
