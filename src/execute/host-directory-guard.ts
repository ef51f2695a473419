/**
 * Looks, after the rsyncs of a backup, whether the directory of the host is as they found it, but for what they were to
 * write. One that was broken into could have put a snapshot there that never was, or a link where the daemon goes on.
 */
import { lstat, readdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BusyError } from '../core/errors.js';
import { parseSnapshotName } from '../core/snapshot.js';
import { parseTrashName } from '../core/trash.js';

/** What the daemon makes beside the snapshots while a backup runs, and what it takes for none. */
const ownNames = /^\.(removed|drill|restore|download)-|^\.(space|verified)\.json(\.new)?$|^\.trash-.*\.json$/;

/** Throws HOST_MISBEHAVED when something is not as it was. */
export type Look = () => Promise<void>;

/** Notes how things are before the first rsync. */
export async function guardHostDirectory(host: string, partial: string): Promise<Look> {
  const directory = join(partial, '..');
  const own = [partial, join(partial, 'data')];
  const identities = await Promise.all(own.map(identityOf));
  const before = await entriesOf(directory);
  const known = new Set(before.values());
  return async () => {
    for (const [index, path] of own.entries())
      if ((await identityOf(path)) !== identities[index])
        throw misbehaved(host, `another ${basename(path)} is in place of the one that was made for it`);
    for (const [name, identity] of await entriesOf(directory)) {
      if (before.get(name) === identity || ownNames.test(name)) continue;
      // To the trash and back.
      const isMoved = parseTrashName(name) !== null || parseSnapshotName(name) !== null;
      if (isMoved && identity !== '' && known.has(identity)) continue;
      throw misbehaved(host, `${await setAside(directory, name)} has appeared beside its snapshots`);
    }
  };
}

/** So that nobody takes it for a snapshot. Answers its name from then on. */
async function setAside(directory: string, name: string): Promise<string> {
  const aside = `.refused-${name}`;
  return rename(join(directory, name), join(directory, aside)).then(
    () => aside,
    () => name,
  );
}

async function entriesOf(directory: string): Promise<Map<string, string>> {
  const entries = new Map<string, string>();
  for (const name of await readdir(directory)) entries.set(name, await identityOf(join(directory, name)));
  return entries;
}

/** Of a directory; empty of anything else. */
async function identityOf(path: string): Promise<string> {
  return lstat(path, { bigint: true }).then(
    (found) => (found.isDirectory() ? `${found.dev}:${found.ino}` : ''),
    () => '',
  );
}

function misbehaved(host: string, detail: string): BusyError {
  return new BusyError('HOST_MISBEHAVED', { host, detail });
}
