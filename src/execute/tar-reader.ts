/**
 * Reads a tarball as a stream, entry after entry, in bounded memory. The headers are decoded and checked by the `tar`
 * package; extended headers are read here, since names may hold any bytes, times have nanoseconds, and sparse files are
 * written as GNU tar does (format 1.0), all of which that package does not hand on.
 */
import { Header } from 'tar';
import type { BytePath } from '../core/byte-path.js';
import type { EntryType } from '../core/manifest.js';
import { SparseMap } from './sparse-map.js';
import { TarUnusable } from './tar-unusable.js';

export interface TarEntry {
  /** As in the tarball, without a slash at the end. */
  readonly path: BytePath;
  /** `link`: another name of the entry that `target` names. */
  readonly type: EntryType | 'link';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of the content, holes included. */
  readonly size: number;
  readonly mtimeNs: string;
  /** Of a link its path in the tarball; else as in `TreeEntry`. */
  readonly target: BytePath;
}

/** The piece is valid until it returns, or until its promise settles. */
export type TakesPiece = (piece: Buffer) => Promise<void> | undefined | void;

const blockBytes = 512;
/** No name, attribute or ACL comes near it. */
const mostExtendedBytes = 16 * 1024 * 1024;
const zeros = Buffer.alloc(256 * 1024);

export class TarReader {
  private chunk: Buffer = Buffer.alloc(0);
  private at = 0;
  /** What is left of the present entry, padding included. */
  private left = 0;
  private padding = 0;
  private sparse: SparseFile | null = null;

  constructor(private readonly source: AsyncIterator<Buffer>) {}

  /** The next entry; null at the end. Throws TarUnusable, and what the source throws. */
  async next(): Promise<TarEntry | null> {
    await this.skip(this.left + this.padding);
    let records: ReadonlyMap<string, string> = new Map();
    for (;;) {
      const block = await this.take(blockBytes);
      const header = decode(block);
      if (header.nullBlock) return this.readEnd();
      if (!header.cksumValid) throw new TarUnusable('a header has a wrong checksum');
      const size = numberIn(records, 'size') ?? header.size ?? 0;
      if (!Number.isSafeInteger(size) || size < 0) throw new TarUnusable('a length cannot be');
      const type = typeFlag(block);
      if (type === 'x' || type === 'g') {
        if (size > mostExtendedBytes) throw new TarUnusable('an extended header is too long');
        const found = readRecords(await this.take(size));
        await this.skip(paddingOf(size));
        if (type === 'x') records = found;
        continue;
      }
      return this.begin(block, header, records, size);
    }
  }

  /**
   * Hands over the content of the present entry, holes as zeros; to be called once, after `next`. Waits for `take` when it
   * answers a promise.
   */
  async content(take: TakesPiece): Promise<void> {
    const { sparse } = this;
    if (!sparse) return this.read(this.left, take);
    let place = 0;
    for (let index = 0; index < sparse.map.length; index += 2) {
      const [offset = 0, bytes = 0] = sparse.map.subarray(index, index + 2);
      if (offset < place) throw new TarUnusable('the map of a sparse file is wrong');
      await takeZeros(offset - place, take);
      await this.read(bytes, take);
      place = offset + bytes;
    }
    await takeZeros(sparse.size - place, take);
  }

  private async begin(
    block: Buffer,
    header: Header,
    records: ReadonlyMap<string, string>,
    size: number,
  ): Promise<TarEntry> {
    this.left = size;
    this.padding = paddingOf(size);
    this.sparse = null;
    const realSize = numberIn(records, 'GNU.sparse.realsize');
    if (realSize !== undefined) {
      if (records.get('GNU.sparse.major') !== '1')
        throw new TarUnusable('a sparse file has an unknown format');
      this.sparse = { size: realSize, map: await this.readMap() };
    }
    const path = records.get('GNU.sparse.name') ?? records.get('path') ?? pathIn(block);
    const type = typeOf(typeFlag(block), path);
    return {
      path: path.replace(/\/+$/, ''),
      type,
      mode: (header.mode ?? 0) & 0o7777,
      uid: numberIn(records, 'uid') ?? header.uid ?? 0,
      gid: numberIn(records, 'gid') ?? header.gid ?? 0,
      size: type === 'file' ? (realSize ?? size) : 0,
      mtimeNs: nanoseconds(records.get('mtime') ?? String((header.mtime?.getTime() ?? 0) / 1000)),
      target: targetOf(block, header, type, records),
    };
  }

  /** It stands before the data. */
  private async readMap(): Promise<Float64Array> {
    const numbers = new SparseMap();
    while (!numbers.isWhole) {
      if (this.left < blockBytes) throw new TarUnusable('the map of a sparse file is cut off');
      const block = await this.take(blockBytes);
      this.left -= blockBytes;
      numbers.read(block);
    }
    return numbers.map;
  }

  /** Behind the last entry there are only zeros; with them the source has been read to its end. */
  private async readEnd(): Promise<null> {
    for (;;) {
      const rest = this.chunk.subarray(this.at);
      if (rest.some((byte) => byte !== 0)) throw new TarUnusable('something follows its end');
      if (!(await this.fill())) return null;
    }
  }

  private async read(count: number, take: TakesPiece): Promise<void> {
    let wanted = count;
    this.left -= count;
    if (this.left < 0) throw new TarUnusable('an entry is longer than it says');
    while (wanted > 0) {
      if (this.at >= this.chunk.length && !(await this.fill())) throw new TarUnusable('it is cut off');
      const piece = this.chunk.subarray(this.at, this.at + wanted);
      this.at += piece.length;
      wanted -= piece.length;
      const isTaken = take(piece);
      if (isTaken) await isTaken;
    }
  }

  private async skip(count: number): Promise<void> {
    this.left = count;
    this.padding = 0;
    await this.read(count, () => {});
  }

  private async take(count: number): Promise<Buffer> {
    if (this.chunk.length - this.at >= count) {
      this.at += count;
      return this.chunk.subarray(this.at - count, this.at);
    }
    const pieces: Buffer[] = [];
    let wanted = count;
    while (wanted > 0) {
      if (this.at >= this.chunk.length && !(await this.fill())) throw new TarUnusable('it is cut off');
      const piece = this.chunk.subarray(this.at, this.at + wanted);
      this.at += piece.length;
      wanted -= piece.length;
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  }

  private async fill(): Promise<boolean> {
    const { value, done } = await this.source.next();
    if (done === true) return false;
    this.chunk = value;
    this.at = 0;
    return true;
  }
}

interface SparseFile {
  readonly size: number;
  /** Where each piece begins and how long it is, one after the other. */
  readonly map: Float64Array;
}

function decode(block: Buffer): Header {
  try {
    return new Header(block, 0);
  } catch (error) {
    throw new TarUnusable('a header cannot be read', { cause: error });
  }
}

async function takeZeros(count: number, take: TakesPiece): Promise<void> {
  for (let left = count; left > 0; left -= zeros.length) {
    const isTaken = take(zeros.subarray(0, Math.min(left, zeros.length)));
    if (isTaken) await isTaken;
  }
}

function paddingOf(size: number): number {
  return (blockBytes - (size % blockBytes)) % blockBytes;
}

function typeFlag(block: Buffer): string {
  return block.toString('latin1', 156, 157);
}

function typeOf(flag: string, path: BytePath): TarEntry['type'] {
  const type = types.get(flag);
  if (!type) throw new TarUnusable(`there is an entry of the unknown type ${JSON.stringify(flag)}`);
  return type === 'file' && path.endsWith('/') ? 'directory' : type;
}

const types: ReadonlyMap<string, TarEntry['type']> = new Map<string, TarEntry['type']>([
  ['0', 'file'],
  ['\0', 'file'],
  ['1', 'link'],
  ['2', 'symlink'],
  ['3', 'character device'],
  ['4', 'block device'],
  ['5', 'directory'],
  ['6', 'fifo'],
]);

/** The lines `LENGTH KEY=VALUE` of an extended header, byte by byte. */
function readRecords(bytes: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  const text = bytes.toString('latin1');
  for (let at = 0; at < text.length && text[at] !== '\0';) {
    const blank = text.indexOf(' ', at);
    const length = Number(text.slice(at, blank));
    const end = at + length;
    const equals = text.indexOf('=', blank);
    if (blank < 0 || !(length > 0) || end > text.length || equals < 0 || equals >= end)
      throw new TarUnusable('an extended header cannot be read');
    records.set(text.slice(blank + 1, equals), text.slice(equals + 1, end - 1));
    at = end;
  }
  return records;
}

function numberIn(records: ReadonlyMap<string, string>, key: string): number | undefined {
  const text = records.get(key);
  if (text === undefined) return undefined;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new TarUnusable(`a header has a wrong ${key}`);
  return number;
}

function pathIn(block: Buffer): BytePath {
  const isUstar = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? textIn(block, 345, 155) : '';
  const name = textIn(block, 0, 100);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function textIn(block: Buffer, start: number, length: number): string {
  const text = block.toString('latin1', start, start + length);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

function targetOf(
  block: Buffer,
  { devmaj, devmin }: Header,
  type: TarEntry['type'],
  records: ReadonlyMap<string, string>,
): BytePath {
  if (type === 'symlink' || type === 'link') return records.get('linkpath') ?? textIn(block, 157, 100);
  return type === 'character device' || type === 'block device' ? `${devmaj}:${devmin}` : '';
}

/** Of seconds since 1970 with a fraction, as `-1.5`. */
function nanoseconds(seconds: string): string {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(seconds) ?? [];
  if (whole === '') throw new TarUnusable('a time cannot be read');
  const digits = `${whole}${fraction.slice(0, 9).padEnd(9, '0')}`.replace(/^0+(?=\d)/, '');
  return digits === '0' ? '0' : `${sign}${digits}`;
}
