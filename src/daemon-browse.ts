/** Looking into snapshots and archives; a part of the composition root. */
import { Browser, type BrowserParts } from './control/browser.js';
import { ArchiveDisks } from './execute/archive-disks.js';
import { createBrowsePlaces } from './execute/browse-places.js';
import { browse } from './execute/browse-thread.js';

export function createBrowser(parts: Pick<BrowserParts, 'catalog' | 'hold'>): Browser {
  return new Browser({ ...parts, places: createBrowsePlaces(new ArchiveDisks()), browse });
}
