/** The pinned host key of a host, as `ssh-keyscan`, `ssh-keygen -l` and the .pub files on the host show it. */
import { quoted } from './quoted.js';
import type { Reading } from './values.js';

const keyTypes = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
];

/** Reads `TYPE BASE64 [comment]` or `SHA256:...`; answers it without comment. The empty text means: not pinned. */
export function readHostKey(text: string): Reading<string> {
  const words = text.trim().split(/\s+/);
  const [first = '', blob = ''] = words;
  if (first === '') return { value: '' };
  if (first.startsWith('SHA256:')) {
    const isFingerprint = words.length === 1 && /^SHA256:[A-Za-z0-9+/]{43}=?$/.test(first);
    return isFingerprint
      ? { value: first.replace(/=$/, '') }
      : { wrong: 'is a SHA256: fingerprint that is not 43 characters long' };
  }
  if (first.startsWith('MD5:') || /^([0-9a-f]{2}:){15}[0-9a-f]{2}$/.test(first)) {
    return { wrong: 'is an MD5 fingerprint, which is too weak to trust' };
  }
  if (!keyTypes.includes(first)) {
    return keyTypes.includes(blob)
      ? { wrong: `begins with ${quoted(first)}: leave out what stands before ${blob}` }
      : { wrong: `is ${quoted(text)}` };
  }
  if (typeInside(blob) !== first)
    return { wrong: `is damaged: what follows ${first} is not a whole key of that type` };
  return { value: `${first} ${blob}` };
}

/** The type that the key itself names in its first field, or null when the text is no key. */
function typeInside(blob: string): string | null {
  if (!/^[A-Za-z0-9+/]{40,}={0,2}$/.test(blob)) return null;
  const bytes = Buffer.from(blob, 'base64');
  const fields = sshFields(bytes);
  return fields === null || fields.length < 2 ? null : (fields[0]?.toString('latin1') ?? null);
}

/** A key is a row of fields, each with its length before it; null when the lengths do not fit. */
function sshFields(bytes: Buffer): Buffer[] | null {
  const fields: Buffer[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if (offset + 4 > bytes.length) return null;
    const end = offset + 4 + bytes.readUInt32BE(offset);
    if (end > bytes.length) return null;
    fields.push(bytes.subarray(offset + 4, end));
    offset = end;
  }
  return fields;
}
