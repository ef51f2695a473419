/** Builds what concerns the way back out of the store: restore drills and downloads. */
import type { Logger } from './log.js';
import type { Catalog } from './control/catalog.js';
import { Driller, type DrillerParts } from './control/driller.js';
import { sweepScratch } from './execute/drill-scratch.js';

/** `ours`: the hosts of this daemon. Not started yet. */
export function createDriller(
  parts: Omit<DrillerParts, 'sweep' | 'onError' | 'catalog'>,
  ours: Pick<Catalog, 'hosts' | 'snapshots'>,
  log: Logger,
): Driller {
  const onError = (message: string, error: unknown): void => void log.error(message, { error });
  return new Driller({ ...parts, catalog: ours, sweep: sweepScratch, onError });
}
