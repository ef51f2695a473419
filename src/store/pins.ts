/**
 * The host keys that enrolment pinned for hosts of the configuration file: `known_hosts` in the state directory, one
 * line for each host, with its name in BUSY. The configuration file itself belongs to the administrator.
 */
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pins } from '../core/enrollment-ports.js';

/** Reads the pins. Throws when the file cannot be read: without its pins no host could be told from another. */
export async function openPins(stateDir: string): Promise<Pins> {
  const file = join(stateDir, 'known_hosts');
  const pins = new Map(parse(await readIfThere(file)));
  return {
    of: (host) => pins.get(host) ?? '',
    save: async (host, hostKey) => {
      const next = new Map(pins).set(host, hostKey);
      await replaceFile(file, [...next].map(([name, key]) => `${name} ${key}\n`).join(''));
      pins.set(host, hostKey);
    },
  };
}

function parse(text: string): [string, string][] {
  return text.split('\n').flatMap((line) => {
    const [name, type, bytes] = line.split(' ');
    return name && type && bytes ? [[name, `${type} ${bytes}`] as [string, string]] : [];
  });
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  const handle = await open(`${file}.new`, 'w', 0o644);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
}
