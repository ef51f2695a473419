/**
 * What the backups of a host take up on the backup disk, before one more of them begins.
 *
 * What they took up after the last one stands in `.space.json` in the directory of the host; it is never less than what
 * there is, since removals only lower it. While data arrives the file is away, so a crash cannot leave a wrong one: without
 * it all is measured anew.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../core/figures.js';
import type { Host } from '../core/host.js';
import { judgeStart } from '../core/quota.js';
import { measureUsage } from './disk-usage.js';
import { discard, openHostStore, orUnusable, type HostStore } from './snapshot-dir.js';
import { trashedDirectories } from './trash-dir.js';

const fileName = '.space.json';

export interface QuotaParts {
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/**
 * Looks what the host takes up before its backup begins; of unfinished backups that leave no room for another nothing is
 * kept. Throws QUOTA_EXCEEDED.
 */
export async function openQuota(host: Host, { signal, say }: QuotaParts): Promise<number> {
  if (host.quotaBytes === 0) return 0;
  const store = await openHostStore(host.backupdir, host.name);
  const noted = await readNote(store.directory);
  if (noted !== null && judgeStart(host, noted) === null) return noted;
  let used = await measureHost(store, signal);
  if (judgeStart(host, used) && store.partials.length > 0) {
    say('the quota is used up: unfinished backups are removed');
    for (const { path } of store.partials) await orUnusable(host.backupdir, () => discard(path));
    used = await measureHost(await openHostStore(host.backupdir, host.name), signal);
  }
  say(`quota: ${formatBytes(used)} of ${formatBytes(host.quotaBytes)} are in use`);
  await noteUse(store.directory, used);
  const refusal = judgeStart(host, used);
  if (refusal) throw refusal;
  return used;
}

async function measureHost(store: HostStore, signal: AbortSignal): Promise<number> {
  const directories = [
    ...store.snapshots.map((name) => join(store.directory, name)),
    ...store.partials.map(({ path }) => path),
    ...(await trashedDirectories(store.directory)),
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
  await writeFile(`${file}.new`, `${JSON.stringify({ bytes: Math.round(bytes) })}\n`)
    .then(() => rename(`${file}.new`, file))
    .catch(() => {});
}
