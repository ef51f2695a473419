import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scratch } from './scratch.js';
import { fillDatabase, hostName, writeRunLogs, type StoredLogs } from './stock.js';
import { writeRandomFile } from './trees.js';

export const hostCount = 1000;

/** Starts a daemon with a thousand hosts, all with the same source of one file, and two logs of runs that have ended. */
export async function startDaemonWithHosts(
  { directory, bed }: Scratch,
  size: { readonly sourceBytes: number; readonly lines: number },
): Promise<StoredLogs> {
  const source = join(directory, 'source');
  await mkdir(source);
  await writeRandomFile(join(source, 'file.bin'), size.sourceBytes);
  const sshd = await bed.startSshd({ home: bed.directory });
  // Together, 20 backups then take what a network of 1 Gbit/s carries.
  const settings = { srcdirs: [source], bandwidth_limit: '5.5m' };
  const hosts = Array.from({ length: hostCount }, (_, index) =>
    bed.hostAt(sshd, { name: hostName(index), ...settings }),
  );
  const database = join(bed.directory, 'busy.db');
  await bed.configure(hosts, { database: `sqlite:${database}`, max_running: 100, stop_grace: 0 });
  const logs = await writeRunLogs(join(bed.directory, 'state'), size.lines);
  await fillDatabase(database, hostCount, logs);
  await bed.startDaemon();
  return logs;
}
