/** Where the files of snapshots are to be looked at: in their directories, and in the lists beside archives. */
import { join } from 'node:path';
import type { ArchiveRecord } from '../core/archive.js';
import type { BrowsePlaces, FoundSnapshot } from '../core/browse.js';
import type { ArchiveDisks } from './archive-disks.js';
import { besideTarball, listArchives, readArchive } from './archive-files.js';
import { manifestName } from './manifest-format.js';

/** `disks` answer in time, or refuse. */
export const createBrowsePlaces = (disks: ArchiveDisks): BrowsePlaces => ({
  ofSnapshot: (record) => ({
    record,
    isArchived: false,
    source: {
      host: record.host,
      snapshot: record.name,
      directory: record.path,
      manifest: record.manifest && join(record.path, manifestName),
    },
  }),
  archivesOf: async ({ archivedir, name }) => {
    if (archivedir === '') return [];
    const archives = await disks.look(archivedir, () => listArchives(archivedir, name).catch(() => []));
    return archives.map(ofArchive);
  },
  archiveOf: async ({ archivedir, name: host }, name) => {
    if (archivedir === '') return null;
    const archive = await disks.look(archivedir, () => readArchive(archivedir, { host, snapshot: name }));
    return archive && ofArchive(archive);
  },
});

function ofArchive({ snapshot, host, name, path, manifest }: ArchiveRecord): FoundSnapshot {
  return {
    record: { ...snapshot, host, name },
    isArchived: true,
    source: {
      host,
      snapshot: name,
      directory: null,
      manifest: manifest && besideTarball(path).manifest,
    },
  };
}
