/**
 * The log files of runs: one append-only file a run, one line an entry. Offsets are bytes, so that a reader can go
 * on where it was, and reading never holds more than one piece of a file in memory.
 */
import { appendFile, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { BusyError } from '../core/errors.js';
import { isOutOfSpace } from '../core/job-outcome.js';
import { formatLogLine, missingLinesText } from '../core/log-line.js';
import type { Clock, LogChunk, RunLogs } from '../core/ports.js';

const pieceBytes = 64 * 1024;
const ulidPattern = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const lineFeed = 0x0a;

/**
 * Makes the directory `run-logs` below `stateDir` (absolute) when it is missing. `makeRoom` is asked on a full disk, and
 * answers whether it could help. Throws what the system says.
 */
export async function openRunLogs(
  stateDir: string,
  clock: Clock,
  makeRoom: () => boolean = () => false,
): Promise<RunLogs> {
  const directory = path.join(stateDir, 'run-logs');
  await mkdir(directory, { recursive: true, mode: 0o750 });
  const fileOf = (runId: string): string => {
    if (!ulidPattern.test(runId)) throw new BusyError('RUN_NOT_FOUND', { run: runId });
    return path.join(directory, `${runId}.log`);
  };
  /** How many lines of each run could not be written. */
  const missing = new Map<string, number>();
  return {
    path: fileOf,
    append: async (runId, text) => {
      const file = fileOf(runId);
      const lost = missing.get(runId) ?? 0;
      const before = lost > 0 ? formatLogLine(clock.now(), missingLinesText(lost)) : '';
      try {
        await appendWhole(file, `${before}${formatLogLine(clock.now(), text)}`, makeRoom);
        missing.delete(runId);
      } catch (error) {
        missing.set(runId, lost + 1);
        throw error;
      }
    },
    read: async (runId, offset, isFinal) => {
      const { piece, size } = await readPiece(fileOf(runId), offset);
      if (offset > size) {
        throw new BusyError('OFFSET_OUT_OF_RANGE', {
          run: runId,
          size: String(size),
          offset: String(offset),
        });
      }
      return toChunk(piece, offset, isFinal && offset + piece.length >= size);
    },
    ids: async () => {
      const names = await readdir(directory);
      const ids = names.filter((name) => name.endsWith('.log')).map((name) => name.slice(0, -4));
      return ids.filter((id) => ulidPattern.test(id));
    },
    remove: async (runId) => rm(fileOf(runId), { force: true }),
  };
}

/** One write in append mode: a line of the executor, which writes to the same file, never lands inside it. */
async function appendWhole(file: string, lines: string, makeRoom: () => boolean): Promise<void> {
  let text = lines;
  for (;;) {
    const sizeBefore = await sizeOf(file);
    try {
      return await appendFile(file, text, { mode: 0o640 });
    } catch (error) {
      // A part of it may have been written: what follows begins a line of its own.
      text = (await sizeOf(file)) > sizeBefore ? `\n${lines}` : text;
      if (!isOutOfSpace(String(error)) || !makeRoom()) throw error;
    }
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** A run that has not logged yet has no file: its log is empty. */
async function readPiece(file: string, offset: number): Promise<{ piece: Buffer; size: number }> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!handle) return { piece: Buffer.alloc(0), size: 0 };
  try {
    const { size } = await handle.stat();
    const piece = Buffer.allocUnsafe(Math.max(0, Math.min(pieceBytes, size - offset)));
    const { bytesRead } = await handle.read(piece, 0, piece.length, offset);
    return { piece: piece.subarray(0, bytesRead), size };
  } finally {
    await handle.close();
  }
}

function toChunk(piece: Buffer, offset: number, reachesEnd: boolean): LogChunk {
  const lastLineEnd = piece.lastIndexOf(lineFeed);
  if (lastLineEnd >= 0) {
    const lines = piece.toString('utf8', 0, lastLineEnd).split('\n');
    return { lines, nextOffset: offset + lastLineEnd + 1 };
  }
  if (piece.length === 0) return { lines: [], nextOffset: offset };
  if (reachesEnd) return { lines: [piece.toString('utf8')], nextOffset: offset + piece.length };
  if (piece.length < pieceBytes) return { lines: [], nextOffset: offset };
  // Longer than any line of ours. Answered in parts, since a reader would wait for its end for ever.
  const end = characterEnd(piece, piece.length);
  return { lines: [piece.toString('utf8', 0, end)], nextOffset: offset + end };
}

/** The greatest place up to `limit` that does not cut a character of UTF-8 (at most 4 bytes long). */
function characterEnd(bytes: Buffer, limit: number): number {
  for (let start = limit - 1; start >= 0 && start >= limit - 4; start--) {
    const byte = bytes[start] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return start + length > limit && start > 0 ? start : limit;
  }
  return limit;
}
