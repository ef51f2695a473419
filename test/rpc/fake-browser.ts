/** The browser of the daemon over hand-made snapshots, whose files nobody looks at. */
import { Browser } from '../../src/control/browser.js';
import type { Browse } from '../../src/core/browse.js';
import type { Host } from '../../src/core/host.js';
import type { SnapshotRecord } from '../../src/core/snapshot.js';
import { ArchiveDisks } from '../../src/execute/archive-disks.js';
import { createBrowsePlaces } from '../../src/execute/browse-places.js';

export interface FakeBrowserParts {
  readonly host: (name: string) => Host;
  readonly snapshots: readonly SnapshotRecord[];
  readonly browse?: Browse;
}

export function fakeBrowser({ host, snapshots, browse = async function* () {} }: FakeBrowserParts): Browser {
  return new Browser({
    catalog: {
      host,
      snapshots: (name = '') => snapshots.filter((snapshot) => snapshot.host === host(name).name),
    },
    hold: { refuseElsewhere: () => {} },
    places: createBrowsePlaces(new ArchiveDisks()),
    browse,
  });
}
