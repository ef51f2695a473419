/** Key pairs for the private sshd, made by ssh-keygen and kept in files of our own. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';

export type KeyType = 'ed25519' | 'ecdsa' | 'rsa';

/**
 * Makes a key pair without a passphrase at `file` and `file.pub`, replacing what is there.
 * Answers the public key as `<type> <base64>`, without a comment.
 */
export async function makeKeyPair(file: string, type: KeyType): Promise<string> {
  await rm(file, { force: true });
  await rm(`${file}.pub`, { force: true });
  await promisify(execFile)('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'busy', '-f', file]);
  const [algorithm = '', key = ''] = (await readFile(`${file}.pub`, 'utf8')).split(' ');
  return `${algorithm} ${key}`;
}

/** The fingerprint of a public key as OpenSSH shows it: `SHA256:` and base64 without padding. */
export function keyFingerprint(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}
