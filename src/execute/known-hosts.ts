/** Reads the known_hosts files of OpenSSH: plain and hashed names, patterns, `[name]:port`, revoked keys. */
import { createHmac } from 'node:crypto';

export interface KnownKey {
  /** `ssh-ed25519 AAAA...` */
  readonly hostKey: string;
  readonly isRevoked: boolean;
}

/** In the order in which they are taken when a host has several. */
const usableTypes = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
];

/** The keys that a file has for a host at one of these addresses, the best first. Certificates are left out. */
export function keysIn(text: string, addresses: readonly string[], port: number): KnownKey[] {
  const names = addresses.map((address) => (port === 22 ? address : `[${address}]:${port}`));
  const found = text.split('\n').flatMap((line) => {
    const known = readLine(line.trim());
    return known && names.some((name) => known.names(name.toLowerCase())) ? [known.key] : [];
  });
  return found.sort((a, b) => rankOf(a) - rankOf(b));
}

function rankOf({ hostKey, isRevoked }: KnownKey): number {
  // A revoked key is said whatever else there is.
  return isRevoked ? -1 : usableTypes.indexOf(hostKey.split(' ')[0] ?? '');
}

function readLine(line: string): { key: KnownKey; names: (name: string) => boolean } | null {
  if (line === '' || line.startsWith('#')) return null;
  const words = line.split(/\s+/);
  const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
  const [names = '', type = '', bytes = ''] = words;
  if (marker === '@cert-authority' || !usableTypes.includes(type) || !isKey(type, bytes)) return null;
  return {
    key: { hostKey: `${type} ${bytes}`, isRevoked: marker === '@revoked' },
    names: names.startsWith('|1|') ? hashedName(names) : listedNames(names),
  };
}

/** Whether the bytes begin with the name of their type. */
function isKey(type: string, text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length > 4 + type.length && bytes.subarray(4, 4 + type.length).toString('latin1') === type;
}

function hashedName(text: string): (name: string) => boolean {
  const [, , salt = '', hash = ''] = text.split('|');
  return (name) => createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash;
}

/** A list with commas; of patterns only `*` and `?` mean something, and one with `!` takes names out. */
function listedNames(text: string): (name: string) => boolean {
  const patterns = text.toLowerCase().split(',');
  return (name) =>
    patterns.some((pattern) => !pattern.startsWith('!') && wildcard(pattern).test(name)) &&
    !patterns.some((pattern) => pattern.startsWith('!') && wildcard(pattern.slice(1)).test(name));
}

function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\*+/g, '.*').replaceAll('?', '.')}$`);
}
