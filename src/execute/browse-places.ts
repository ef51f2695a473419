/** Where the files of snapshots are to be looked at: in their directories, and in the lists beside archives. */
import { join } from 'node:path';
import type { ArchiveRecord } from '../core/archive.js';
import type { BrowsePlaces, FoundSnapshot } from '../core/browse.js';
import { besideTarball, listArchives, readArchive } from './archive-files.js';
import { manifestName } from './manifest-format.js';

export const browsePlaces: BrowsePlaces = {
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
    const archives = await listArchives(archivedir, name).catch(() => []);
    return archives.map(ofArchive);
  },
  archiveOf: async ({ archivedir, name: host }, name) => {
    const archive = archivedir === '' ? null : await readArchive(archivedir, { host, snapshot: name });
    return archive && ofArchive(archive);
  },
};

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
