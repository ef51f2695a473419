/** What a connector sends first: the command that its rsync asked for. */
import type { Readable } from 'node:stream';
import { BusyError } from '../core/errors.js';

/** Most words and bytes that a request of a connector may have. */
const requestWords = 200;
const requestBytes = 64 * 1024;

interface ConnectorRequest {
  readonly words: readonly string[];
}

/**
 * Reads what a connector sends first: the number of words and the words, each ended by a NUL. What follows is put
 * back into the stream. Null when the stream ends or `signal` is aborted before. Throws HOST_MISBEHAVED for anything
 * else.
 */
export function readRequest(
  stream: Readable,
  host: string,
  signal: AbortSignal,
): Promise<ConnectorRequest | null> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const finish = (): void => {
      stream.off('readable', read);
      stream.off('end', end);
      stream.off('close', end);
      signal.removeEventListener('abort', end);
    };
    const end = (): void => {
      finish();
      resolve(null);
    };
    const read = (): void => {
      for (
        let chunk = stream.read() as Buffer | null;
        chunk !== null;
        chunk = stream.read() as Buffer | null
      ) {
        received = Buffer.concat([received, chunk]);
        const parsed = parseRequest(received);
        if (parsed === 'bad') {
          finish();
          const detail =
            'what it sent first is not the request of a connector (does its shell print a greeting?)';
          reject(new BusyError('HOST_MISBEHAVED', { host, detail }));
          return;
        }
        if (parsed !== null) {
          finish();
          if (parsed.rest.length > 0) stream.unshift(parsed.rest);
          resolve({ words: parsed.words });
          return;
        }
      }
    };
    stream.on('readable', read);
    stream.on('end', end);
    stream.on('close', end);
    // A hanging host ends nothing.
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    else read();
  });
}

function parseRequest(bytes: Buffer): { words: string[]; rest: Buffer } | 'bad' | null {
  let start = bytes.indexOf(0);
  if (start < 0) return bytes.length > 8 ? 'bad' : null;
  const count = Number(bytes.subarray(0, start).toString('latin1'));
  if (!Number.isInteger(count) || count < 1 || count > requestWords) return 'bad';
  const words: string[] = [];
  while (words.length < count) {
    const end = bytes.indexOf(0, start + 1);
    if (end < 0) return bytes.length > requestBytes ? 'bad' : null;
    words.push(bytes.subarray(start + 1, end).toString('utf8'));
    start = end;
  }
  return { words, rest: bytes.subarray(start + 1) };
}
