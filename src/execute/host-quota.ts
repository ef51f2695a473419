/**
 * What the backups of a host take up on the backup disk, before one more of them begins.
 *
 * What they took up after the last one stands in `.space.json` in the directory of the host; it is never less than what
 * there is, since removals only lower it. While data arrives the file is away, so a crash cannot leave a wrong one: without
 * it all is measured anew.
 */
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatBytes } from '../core/figures.js';
import type { Host } from '../core/host.js';
import { judgeStart } from '../core/quota.js';
import { measureUsage } from './disk-usage.js';
import { writeFresh } from './fresh-file.js';
import {
  discard,
  discarded,
  openHostStore,
  orUnusable,
  readHostStore,
  remove,
  type HostStore,
} from './snapshot-dir.js';
import { trashedDirectories } from './trash-dir.js';

const fileName = '.space.json';

export interface QuotaParts {
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** What the backups of a host take up. */
export interface Use {
  readonly bytes: number;
  /** Else it is noted, and there may be less by now. */
  readonly isMeasured: boolean;
}

/**
 * Looks what the host takes up before its backup begins; of unfinished backups that leave no room for another nothing is
 * kept. Throws QUOTA_EXCEEDED.
 */
export async function openQuota(host: Host, { signal, say }: QuotaParts): Promise<Use> {
  if (host.quotaBytes === 0) return { bytes: 0, isMeasured: true };
  const store = await openHostStore(host.backupdir, host.name);
  const noted = await readNote(store.directory);
  if (noted !== null && judgeStart(host, noted) === null) return { bytes: noted, isMeasured: false };
  let used = await measureHost(store, signal);
  const left = [...store.partials, ...(await discarded(store.directory))];
  if (judgeStart(host, used) && left.length > 0) {
    say('the quota is used up: what unfinished backups and removed snapshots have left is removed now');
    for (const { path } of store.partials) await orUnusable(host.backupdir, () => discard(path));
    await remove(await discarded(store.directory), signal);
    used = await measureHost(await openHostStore(host.backupdir, host.name), signal);
  }
  say(`quota: ${formatBytes(used)} of ${formatBytes(host.quotaBytes)} are in use`);
  await noteUse(store.directory, used);
  const refusal = judgeStart(host, used);
  if (refusal) throw refusal;
  return { bytes: used, isMeasured: true };
}

/** What a host takes up now without the backup that writes `partial`. Throws as `measureUsage` does. */
export async function measureWithout(partial: string, signal: AbortSignal): Promise<number> {
  const store = await readHostStore(dirname(partial));
  return measureHost({ ...store, partials: store.partials.filter(({ path }) => path !== partial) }, signal);
}

/** Also what is to be removed, until it is. */
async function measureHost(store: HostStore, signal: AbortSignal): Promise<number> {
  const directories = [
    ...store.snapshots.map((name) => join(store.directory, name)),
    ...store.partials.map(({ path }) => path),
    ...(await trashedDirectories(store.directory)),
    ...(await discarded(store.directory)),
  ];
  if (directories.length === 0) return 0;
  const usage = await measureUsage(directories, () => {}, signal);
  return usage?.seen.bytes ?? 0;
}

async function readNote(directory: string): Promise<number | null> {
  const text = await readFile(join(directory, fileName), 'utf8').catch(() => '{}');
  try {
    const { bytes } = JSON.parse(text) as { readonly bytes?: unknown };
    return typeof bytes === 'number' && bytes >= 0 ? bytes : null;
  } catch {
    return null;
  }
}

/** Something is about to be added, whether there is a quota or not. Throws BACKUPDIR_UNUSABLE. */
export function forgetUse(directory: string): Promise<void> {
  return orUnusable(directory, () => rm(join(directory, fileName), { force: true }));
}

/** Notes what the host takes up now. Without it the next backup measures, so nothing is lost when it cannot be written. */
export async function noteUse(directory: string, bytes: number): Promise<void> {
  const file = join(directory, fileName);
  await writeFresh(`${file}.new`, `${JSON.stringify({ bytes: Math.round(bytes) })}\n`)
    .then(() => rename(`${file}.new`, file))
    .catch(() => {});
}
