/** The key pair of the server for one host: read for a login, and made when there is none. */
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import ssh2 from 'ssh2';
import type { PublicKey } from '../core/enrollment.js';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';

/**
 * The private key for a login, without its passphrase. Throws IDENTITY_FILE_UNUSABLE, PASSPHRASE_FILE_UNUSABLE or
 * PASSPHRASE_WRONG.
 */
export async function readIdentity(host: Host): Promise<ssh2.ParsedKey> {
  return parse(host, await readKeyFile(host));
}

/**
 * The public key for a host. Makes the key pair in `identityFile` when that file is not there, readable by the daemon
 * alone; never overwrites one. Throws what `readIdentity` throws.
 */
export async function prepareIdentity(host: Host, comment: string): Promise<PublicKey> {
  const isNew = await makeIdentity(host, comment);
  const parsed = await readIdentity(host);
  const publicKey = `${parsed.type} ${parsed.getPublicSSH().toString('base64')} ${comment}`;
  return { publicKey, isNew };
}

/** Answers false when there is one already. */
async function makeIdentity(host: Host, comment: string): Promise<boolean> {
  const { identityFile } = host;
  const passphrase = await readPassphrase(host);
  const locked = passphrase === null ? {} : { passphrase, cipher: 'aes256-ctr' };
  const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment, ...locked });
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

async function readKeyFile(host: Host): Promise<Buffer> {
  try {
    return await readPrivateFile(host.identityFile);
  } catch (error) {
    throw unusable(host, error);
  }
}

/** The first line of the file, as ssh-keygen takes a passphrase; null when none is configured. */
async function readPassphrase(host: Host): Promise<string | null> {
  const { name, identityPassphraseFile: file } = host;
  if (file === '') return null;
  try {
    const [line = ''] = (await readPrivateFile(file)).toString('utf8').split(/\r?\n/, 1);
    if (line === '') throw new Error('its first line is empty');
    return line;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new BusyError('PASSPHRASE_FILE_UNUSABLE', { host: name, file, detail }, { cause: error });
  }
}

/** A secret that others may read is no longer one that only the server has. */
async function readPrivateFile(path: string): Promise<Buffer> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0)
    throw new Error(
      `others may read it (mode ${(mode & 0o777).toString(8)}); chmod 600 keeps it to its owner`,
    );
  return readFile(path);
}

/** The passphrase is only read for a key that has one. */
async function parse(host: Host, key: Buffer): Promise<ssh2.ParsedKey> {
  const bare = ssh2.utils.parseKey(key);
  if (!(bare instanceof Error)) return bare;
  if (!/no passphrase given/i.test(bare.message)) throw unusable(host, bare);
  const passphrase = await readPassphrase(host);
  if (passphrase === null)
    throw unusable(host, new Error('it has a passphrase, and identity_passphrase_file is not set'));
  const opened = ssh2.utils.parseKey(key, passphrase);
  if (!(opened instanceof Error)) return opened;
  const { name, identityFile, identityPassphraseFile: file } = host;
  throw new BusyError('PASSPHRASE_WRONG', { host: name, identityFile, file }, { cause: opened });
}

function unusable(host: Host, error: unknown): BusyError {
  const detail = error instanceof Error ? error.message : String(error);
  return new BusyError(
    'IDENTITY_FILE_UNUSABLE',
    { host: host.name, identityFile: host.identityFile, detail },
    { cause: error },
  );
}
