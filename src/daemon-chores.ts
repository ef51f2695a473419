/** What the daemon does by itself beside backups: it verifies, archives and tries restores, each at its own time. */
import { Archiver, type ArchiverParts } from './control/archiver.js';
import { Driller } from './control/driller.js';
import { Scrubber, type ScrubberParts } from './control/scrubber.js';

export interface Chores {
  readonly driller: Driller;
  /** Answers how each is stopped. */
  start(): Promise<(() => Promise<void>)[]>;
}

/** The catalog has the hosts that are this daemon's. */
export function createChores(parts: ScrubberParts & ArchiverParts): Chores {
  const driller = new Driller(parts);
  const all = [new Scrubber(parts), new Archiver(parts), driller];
  return {
    driller,
    start: async () => {
      for (const one of all) await one.start();
      return all.map((one) => async () => one.stop());
    },
  };
}
