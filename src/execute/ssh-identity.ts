/** The key pair of the server for one host: read for a login, and made when there is none. */
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import ssh2 from 'ssh2';
import type { PublicKey } from '../core/enrollment.js';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';

/** The private key for a login. Throws IDENTITY_FILE_UNUSABLE. */
export async function readIdentity(host: Host): Promise<Buffer> {
  const key = await readKeyFile(host);
  parse(host, key);
  return key;
}

/**
 * The public key for a host. Makes the key pair in `identityFile` when that file is not there, readable by the daemon
 * alone; never overwrites one. Throws IDENTITY_FILE_UNUSABLE.
 */
export async function prepareIdentity(host: Host, comment: string): Promise<PublicKey> {
  const isNew = await makeIdentity(host, comment);
  const parsed = parse(host, await readKeyFile(host));
  const publicKey = `${parsed.type} ${parsed.getPublicSSH().toString('base64')} ${comment}`;
  return { publicKey, isNew };
}

/** Answers false when there is one already. */
async function makeIdentity(host: Host, comment: string): Promise<boolean> {
  const { identityFile } = host;
  const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
  const temporary = `${identityFile}.new-${process.pid}`;
  try {
    await mkdir(dirname(identityFile), { recursive: true, mode: 0o700 });
    await rm(temporary, { force: true });
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(pair.private);
      await file.sync();
    } finally {
      await file.close();
    }
    // In one step, and refused when there is a file of that name.
    await link(temporary, identityFile);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unusable(host, error);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** A key that others may read is no longer one that only the server has. */
async function readKeyFile(host: Host): Promise<Buffer> {
  try {
    const { mode } = await stat(host.identityFile);
    if ((mode & 0o077) !== 0)
      throw new Error(
        `others may read it (mode ${(mode & 0o777).toString(8)}); chmod 600 keeps it to its owner`,
      );
    return await readFile(host.identityFile);
  } catch (error) {
    throw unusable(host, error);
  }
}

function parse(host: Host, key: Buffer): ssh2.ParsedKey {
  const parsed = ssh2.utils.parseKey(key);
  if (parsed instanceof Error) throw unusable(host, parsed);
  return parsed;
}

function unusable(host: Host, error: unknown): BusyError {
  const detail = error instanceof Error ? error.message : String(error);
  return new BusyError(
    'IDENTITY_FILE_UNUSABLE',
    { host: host.name, identityFile: host.identityFile, detail },
    { cause: error },
  );
}
