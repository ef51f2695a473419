/** The content of a compressed tarball as a stream. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import type { ArchiveFormat } from '../core/archive.js';
import { describeEnding, startProcess } from './process.js';

export interface TarballStream {
  /** Throws an Error when the file cannot be read; one with a code of zlib, EIO or `zstdDamage` when it is damaged. */
  readonly pieces: AsyncIterator<Buffer>;
  /** Ends reading, whether it is done or not. */
  close(): Promise<void>;
}

const readBytes = 1024 * 1024;
/** So far it decompresses ahead of who reads. */
const aheadBytes = 8 * 1024 * 1024;
// The types of zlib do not know what every stream knows.
const gunzipOptions = { chunkSize: readBytes, readableHighWaterMark: aheadBytes };

/** The code of the error by which zstd finds a tarball broken. */
export const zstdDamage = 'ZSTD_DAMAGE';

/** `onRead` sees the file itself, as it is read; all of it when `pieces` has ended. */
export function openTarball(
  tarball: string,
  format: ArchiveFormat,
  onRead: (chunk: Buffer) => void,
): TarballStream {
  const source = createReadStream(tarball, { highWaterMark: readBytes });
  source.on('data', (chunk) => onRead(chunk as Buffer));
  const opened = format === 'tar.gz' ? throughGunzip(source) : throughZstd(source);
  return {
    pieces: opened.pieces,
    close: async () => {
      source.destroy();
      await opened.close();
    },
  };
}

interface Opened {
  readonly pieces: AsyncIterator<Buffer>;
  readonly close: () => Promise<void>;
}

function throughGunzip(source: ReturnType<typeof createReadStream>): Opened {
  const gunzip = createGunzip(gunzipOptions);
  source.on('error', (error) => gunzip.destroy(error));
  // Told by the iteration, which may begin after it.
  gunzip.on('error', () => {});
  source.pipe(gunzip);
  return {
    pieces: gunzip[Symbol.asyncIterator]() as AsyncIterator<Buffer>,
    close: async () => void gunzip.destroy(),
  };
}

/** Node 20 cannot read zstd. */
function throughZstd(source: ReturnType<typeof createReadStream>): Opened {
  const stop = new AbortController();
  const zstd = startProcess('zstd', ['-dcq'], stop.signal);
  const ended = zstd.ended.catch((error: Error) => error);
  let detail = '';
  zstd.stderr.on('data', (chunk: Buffer) => (detail = `${detail}${chunk.toString()}`.slice(-500)));
  source.on('error', (error) => zstd.stdout.destroy(error));
  source.pipe(zstd.stdin);
  async function* pieces(): AsyncGenerator<Buffer, undefined> {
    yield* zstd.stdout as AsyncIterable<Buffer>;
    const ending = await ended;
    if (ending instanceof Error) throw ending;
    if (ending.code === 0) return;
    const error = new Error(`zstd ended with ${describeEnding(ending)}: ${detail.trim()}`);
    const isOfTarball = ending.code !== null && !/allocat|memory/i.test(detail);
    throw isOfTarball ? Object.assign(error, { code: zstdDamage }) : error;
  }
  return {
    pieces: pieces(),
    close: async () => {
      stop.abort();
      // It does not end, and zstd with it, while something waits in it that nobody reads any more.
      zstd.stdout.destroy();
      await ended;
    },
  };
}
