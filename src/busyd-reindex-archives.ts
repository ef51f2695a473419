/** The part of `busyd reindex` that brings the records of archives in line with the archive directory of a host. */
import type { ArchiveRecord } from './core/archive.js';
import type { Host } from './core/host.js';
import type { ArchiveStore } from './core/archive-ports.js';
import { listArchives } from './execute/archive-files.js';

/** Answers what was done, or with `isDryRun` would be, in lines. */
export async function reindexArchives(host: Host, store: ArchiveStore, isDryRun: boolean): Promise<string[]> {
  if (host.archivedir === '') return [];
  const recorded = await store.list({ host: host.name });
  const found = await listArchives(host.archivedir, host.name).catch(() => null);
  if (!found) {
    const where = `${host.archivedir} is not there, or its disk is not mounted`;
    return [`${host.name}: ${where}: its ${recorded.length} records of archives are left as they are`];
  }
  const names = new Set(found.map(({ name }) => name));
  // One that lies in another directory, since archivedir was changed, is not this directory's to judge.
  const removed = recorded.filter(
    ({ name, path }) => !names.has(name) && path.startsWith(`${host.archivedir}/`),
  );
  const known = new Map(recorded.map((archive) => [archive.name, archive]));
  const changed = found.filter((archive) => !isSame(known.get(archive.name), archive));
  if (!isDryRun) {
    for (const archive of changed) await store.put(archive);
    for (const { name } of removed) await store.remove(host.name, name);
  }
  if (recorded.length === 0 && found.length === 0) return [];
  const keptCount = found.length - changed.length;
  return [
    `${host.name}: archives: ${changed.length} added or corrected, ${removed.length} removed, ${keptCount} kept`,
    ...changed.map(({ name, path }) => `  + ${name}  ${path}`),
    ...removed.map(({ name, path }) => `  - ${name}  ${path}`),
  ];
}

/** By what can change: the rest was written once, with the tarball. */
function isSame(known: ArchiveRecord | undefined, found: ArchiveRecord): boolean {
  return (
    known !== undefined &&
    known.path === found.path &&
    known.bytes === found.bytes &&
    known.sha256 === found.sha256 &&
    known.damage === found.damage &&
    known.copyPath === found.copyPath &&
    known.verifiedAt?.getTime() === found.verifiedAt?.getTime()
  );
}
