/** What was free on the disks of backups, in a small file of the state directory: `disk-history.json`. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DiskHistory, DiskSamples } from '../core/disk-forecast.js';

export function openDiskHistory(stateDir: string): DiskHistory {
  const file = join(stateDir, 'disk-history.json');
  return {
    read: async () => {
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '{}';
        throw error;
      });
      const data = JSON.parse(text) as DiskSamples;
      const isGood = Object.values(data).every(
        (samples) =>
          Array.isArray(samples) &&
          samples.every(({ atMs, freeBytes }) => Number.isFinite(atMs) && Number.isFinite(freeBytes)),
      );
      if (!isGood) throw new Error(`${file} is not a history of free space`);
      return data;
    },
    write: async (samples) => {
      await writeFile(`${file}.new`, `${JSON.stringify(samples)}\n`, { mode: 0o640 });
      await rename(`${file}.new`, file);
    },
  };
}
