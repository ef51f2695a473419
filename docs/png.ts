/** PNG files made small without losing anything: a browser compresses its pictures in haste. */
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const signatureBytes = 8;
/** Length, type and checksum around the data of a chunk. */
const frameBytes = 12;

/** Answers the same picture, or what was given where that is smaller. */
export function shrinkPng(png: Buffer): Buffer {
  const chunks = chunksOf(png);
  const pixels = inflateSync(
    Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)),
  );
  const [head, ...others] = chunks.filter(({ type }) => type === 'IHDR' || type === 'IEND');
  if (!head) throw new Error('this is no PNG file');
  const shrunk = Buffer.concat([
    png.subarray(0, signatureBytes),
    toChunk(head),
    toChunk({ type: 'IDAT', data: deflateSync(pixels, { level: 9, memLevel: 9 }) }),
    ...others.map(toChunk),
  ]);
  return shrunk.length < png.length ? shrunk : png;
}

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

function chunksOf(png: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let place = signatureBytes; place + frameBytes <= png.length;) {
    const length = png.readUInt32BE(place);
    const type = png.toString('latin1', place + 4, place + 8);
    chunks.push({ type, data: png.subarray(place + 8, place + 8 + length) });
    place += length + frameBytes;
  }
  return chunks;
}

function toChunk({ type, data }: Chunk): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
