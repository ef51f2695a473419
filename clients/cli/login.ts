/** What proves to the daemon who calls: a token, or a certificate. */
import { constants } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { usageError } from './cli-error.js';

export interface Login {
  /** Empty: none. */
  readonly token: string;
  /** The authority that the daemon's certificate is checked with; null: those of the system. */
  readonly ca: Buffer | null;
  readonly certificate: { readonly cert: Buffer; readonly key: Buffer } | null;
}

export interface LoginOptions {
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export function wantsTls({ ca, cert, key }: LoginOptions): boolean {
  return ca !== undefined || cert !== undefined || key !== undefined;
}

/** Reads the files that are named, and warns of those that others may read; a token is else taken from BUSY_TOKEN. What cannot be used is a usage error. */
export async function readLogin(
  { tokenFile, ca, cert, key }: LoginOptions,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Login & { readonly warnings: readonly string[] }> {
  if ((cert === undefined) !== (key === undefined))
    throw usageError('--cert and --key go together.', 'Name both files, or neither.');
  const token =
    tokenFile === undefined ? (env.BUSY_TOKEN ?? '') : (await read('--token-file', tokenFile)).toString();
  return {
    token: checkedToken(token.trim(), tokenFile === undefined ? 'BUSY_TOKEN' : '--token-file'),
    ca: ca === undefined ? null : await read('--ca', ca),
    certificate:
      cert === undefined || key === undefined
        ? null
        : { cert: await read('--cert', cert), key: await read('--key', key) },
    warnings: (await Promise.all([tokenFile, key].map(warnOfReaders))).filter((text) => text !== ''),
  };
}

/** A token or a key that others may read is theirs too. */
async function warnOfReaders(file: string | undefined): Promise<string> {
  const mode = file === undefined ? 0 : (await stat(file)).mode;
  // What is no file, such as /dev/stdin, is nobody else's.
  if ((mode & constants.S_IFMT) !== constants.S_IFREG || (mode & 0o077) === 0) return '';
  return `others may read ${file} (mode ${(mode & 0o777).toString(8)}); chmod 600 keeps it to you`;
}

/** The text itself is never shown. */
function checkedToken(token: string, source: string): string {
  if (/^[\x21-\x7e]*$/.test(token)) return token;
  throw usageError(`${source} does not hold a token.`, 'A token is one word, as busy token create shows it.');
}

async function read(option: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw usageError(`${option}: the file cannot be read: ${what}.`, 'Name a file that you may read.');
  }
}
