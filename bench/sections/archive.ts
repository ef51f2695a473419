import {
  describeArchived,
  findArchivers,
  measureArchives,
  type Archiver,
  type ArchiveSizes,
} from '../archive-contest.js';
import type { Row } from '../one-table.js';
import type { Section } from './section.js';

const sizesOf = (isQuick: boolean): ArchiveSizes =>
  isQuick ? { files: 500, mib: 4 } : { files: 10_000, mib: 64 };

const archivers = ['tar czf', 'tar | pigz', 'tar | zstd', 'busyd', 'busyd, zst'] as const;

export const archive: Section = {
  name: 'archive',
  isLikeAnother: false,
  describe: ({ isQuick }) => `archive: ${describeArchived(sizesOf(isQuick))}`,
  measure: async (options) => {
    const { present, absent } = await findArchivers(archivers);
    const records = await measureArchives(options, sizesOf(options.isQuick), present);
    const of = (by: Archiver): number[] =>
      records.filter((record) => record.by === by).map(({ seconds }) => seconds);
    const rows = [
      { what: 'archive, tar.gz', by: 'busyd', goals: { 'tar | pigz': 1.1, 'tar czf': 0.6 } },
      { what: 'archive, tar.zst', by: 'busyd, zst', goals: { 'tar | zstd': 1.1 } },
    ] as const;
    return {
      rows: rows
        .filter(({ by }) => present.includes(by))
        .map(({ what, by, goals }): Row => {
          const others = (Object.keys(goals) as Archiver[]).filter((other) => present.includes(other));
          return {
            what,
            unit: 's',
            busyd: of(by),
            others: Object.fromEntries(others.map((other) => [other, of(other)])),
            goals: Object.entries(goals).map(([to, limit]) => ({ to, limit })),
          };
        }),
      absent,
      failures: [],
    };
  },
};
