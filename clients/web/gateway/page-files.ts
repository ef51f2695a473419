/** The files of the page, as `vite build` made them, read once at the start. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** Null where it would gain nothing. */
  readonly brotli: Buffer | null;
  readonly etag: string;
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** By the path below `folder`. Throws when the page was not built. */
export async function readPageFiles(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const files = await Promise.all(
    names.map(async (name): Promise<[string, PageFile]> => [
      name.slice(folder.length).replace(/^\//, ''),
      toPageFile(name, await readFile(name)),
    ]),
  );
  return new Map(files);
}

function toPageFile(name: string, bytes: Buffer): PageFile {
  const type = types[extname(name)] ?? 'application/octet-stream';
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { type, bytes, brotli: brotli.length < bytes.length ? brotli : null, etag };
}
