/** All that the stores answer from a database, as JSON has it: what a later version must still answer. */
import { createArchiveStore } from '../../../src/store/archives.js';
import type { Database } from '../../../src/store/data-source.js';
import { createHostStore } from '../../../src/store/hosts.js';
import { createOutboxStore } from '../../../src/store/outbox.js';
import { createRunStore } from '../../../src/store/runs.js';
import { createSnapshotStore } from '../../../src/store/snapshots.js';
import { createTokenStore } from '../../../src/store/tokens.js';

export async function readStores(database: Database): Promise<unknown> {
  const hosts = createHostStore(database);
  const outbox = createOutboxStore(database);
  const answers = {
    runs: await createRunStore(database).list({}),
    snapshots: await createSnapshotStore(database).list(),
    archives: await createArchiveStore(database).list({}),
    hosts: await hosts.list(),
    trashedHosts: await hosts.trashed(),
    tokens: await createTokenStore(database).list(),
    alertStates: await outbox.alertStates(),
    digestMark: await outbox.digestMark(),
    mails: await outbox.due(new Date('2100-01-01T00:00:00Z')),
  };
  return JSON.parse(JSON.stringify(answers)) as unknown;
}
