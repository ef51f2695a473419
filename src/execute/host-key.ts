/** The pinned key of a host, and the keys that hosts show. */
import { createHash } from 'node:crypto';

type HostKeyType =
  | 'ssh-ed25519'
  | 'ecdsa-sha2-nistp256'
  | 'ecdsa-sha2-nistp384'
  | 'ecdsa-sha2-nistp521'
  | 'rsa-sha2-512'
  | 'rsa-sha2-256';

/** Tried in this order when only a fingerprint is pinned, or nothing. */
export const hostKeyTypes: readonly (readonly HostKeyType[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'rsa-sha2-256'],
];

/** The SHA256 fingerprint of a public key, as ssh-keygen shows it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The types of key to ask a host for, one list for each connection, until one has the pinned key. */
export function keyTypesFor(pinned: string): readonly (readonly HostKeyType[])[] {
  const type = pinned.split(' ')[0] ?? '';
  if (type === '' || type.startsWith('SHA256:')) return hostKeyTypes;
  if (type === 'ssh-rsa') return [['rsa-sha2-512', 'rsa-sha2-256']];
  return [[type as HostKeyType]];
}

export function matchesPin(pinned: string, key: Buffer): boolean {
  if (pinned === '') return false;
  if (pinned.startsWith('SHA256:')) return fingerprintOf(key) === pinned.replace(/=+$/, '');
  return Buffer.from(pinned.split(/\s+/)[1] ?? '', 'base64').equals(key);
}

/** A public key as files have it: its type and its bytes. */
export function writtenKey(key: Buffer): string {
  const length = key.readUInt32BE(0);
  return `${key.subarray(4, 4 + length).toString('latin1')} ${key.toString('base64')}`;
}

/** The fingerprint of a pin, which may be one itself; empty when nothing is pinned. */
export function fingerprintOfPin(pinned: string): string {
  if (pinned === '' || pinned.startsWith('SHA256:')) return pinned.replace(/=+$/, '');
  return fingerprintOf(Buffer.from(pinned.split(/\s+/)[1] ?? '', 'base64'));
}
