/** What the daemon does by itself beside backups, each at its own time: verify, archive, try restores, watch the disks. */
import { Archiver, type ArchiverParts } from './control/archiver.js';
import { DiskWatch } from './control/disk-watch.js';
import { Driller } from './control/driller.js';
import { Scrubber, type ScrubberParts } from './control/scrubber.js';
import { roomOf } from './execute/disk.js';
import { openDiskHistory } from './store/disk-history.js';

export interface Chores {
  readonly driller: Driller;
  readonly diskWatch: DiskWatch;
  /** Answers how each is stopped. */
  start(): Promise<(() => Promise<void>)[]>;
}

export type ChoresParts = ScrubberParts & ArchiverParts & { readonly stateDir: string };

/** The catalog has the hosts that are this daemon's. */
export function createChores(parts: ChoresParts): Chores {
  const driller = new Driller(parts);
  const diskWatch = new DiskWatch({ ...parts, roomOf, history: openDiskHistory(parts.stateDir) });
  const all = [new Scrubber(parts), new Archiver(parts), driller, diskWatch];
  return {
    driller,
    diskWatch,
    start: async () => {
      for (const one of all) await one.start();
      return all.map((one) => async () => one.stop());
    },
  };
}
