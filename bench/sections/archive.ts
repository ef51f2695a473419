import { describeArchived, measureArchives, type Archiver, type ArchiveSizes } from '../archive-contest.js';
import type { Row } from '../one-table.js';
import type { Absence } from '../peers/all-peers.js';
import { firstInstalled } from '../peers/installed.js';
import type { Section } from './section.js';

const sizesOf = (isQuick: boolean): ArchiveSizes =>
  isQuick ? { files: 500, mib: 4 } : { files: 10_000, mib: 64 };

export const archive: Section = {
  name: 'archive',
  isLikeAnother: false,
  describe: ({ isQuick }) => `archive: ${describeArchived(sizesOf(isQuick))}`,
  measure: async (options) => {
    const hasPigz = (await firstInstalled(['pigz'])) !== null;
    const others: readonly Archiver[] = hasPigz ? ['tar czf', 'tar | pigz'] : ['tar czf'];
    const own: readonly Archiver[] = ['busyd', 'busyd, zst'];
    const records = await measureArchives(options, sizesOf(options.isQuick), [...others, ...own]);
    const of = (by: Archiver): number[] =>
      records.filter((record) => record.by === by).map(({ seconds }) => seconds);
    const row = (what: string, by: Archiver): Row => ({
      what,
      unit: 's',
      busyd: of(by),
      others: Object.fromEntries(others.map((other) => [other, of(other)])),
      goals: [
        { to: 'tar | pigz', limit: 1.1 },
        { to: 'tar czf', limit: 0.6 },
      ],
    });
    const absent: Absence[] = hasPigz ? [] : [{ name: 'tar | pigz', remedy: 'apt-get install pigz' }];
    return {
      rows: [row('archive, tar.gz', 'busyd'), row('archive, tar.zst', 'busyd, zst')],
      absent,
      failures: [],
    };
  },
};
