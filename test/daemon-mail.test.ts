import { readFile } from 'node:fs/promises';
import { watch } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { soleDaemon } from '../src/control/host-claims.js';
import { Catalog } from '../src/control/catalog.js';
import { RunEvents } from '../src/control/run-events.js';
import { startMail, type DaemonMail } from '../src/daemon-mail.js';
import { createLog } from '../src/log.js';
import { openDatabase, type Database } from '../src/store/data-source.js';
import { openRunLogs } from '../src/store/run-log.js';
import { createRunStore } from '../src/store/runs.js';
import { createSnapshotStore } from '../src/store/snapshots.js';
import { endedRun, mailHost } from './helpers/mail-samples.js';
import { MailBed } from './notify/mail-bed.js';

const clock = { now: (): Date => new Date() };
let bed: MailBed;
let database: Database;
let mail: DaemonMail;

beforeEach(async () => {
  bed = await MailBed.open();
  database = await openDatabase({ kind: 'sqlite', path: join(bed.directory, 'busy.db') });
});
afterEach(async () => {
  await mail.stop(AbortSignal.abort());
  await database.close();
  await bed.close();
});

it('a run that fails becomes a mail through sendmail, with the end of its log', async () => {
  await bed.standIn('cat > message.new; mv message.new message');
  const runs = createRunStore(database);
  const logs = await openRunLogs(bed.directory, clock);
  const events = new RunEvents(runs, clock);
  await events.start();
  const catalog = new Catalog([mailHost()], createSnapshotStore(database));
  const log = createLog({
    level: 'error',
    format: 'text',
    file: join(bed.directory, 'busyd.log'),
    syslog: null,
  });
  mail = await startMail({
    config: { mail: bed.settings() },
    database,
    clock,
    runs,
    logs,
    catalog,
    events,
    hold: soleDaemon,
    log,
  });

  const run = endedRun(1, 'FAILED', clock.now(), { revision: events.nextRevision() });
  for (let line = 1; line <= 25; line++) await logs.append(run.id, `line ${line} of the log`);
  await runs.add(run);
  const watcher = watch(bed.directory);
  events.publish({ run, progress: null });
  let message = '';
  while (message === '') {
    await once(watcher, 'change');
    message = await readFile(join(bed.directory, 'message'), 'utf8').catch(() => '');
  }
  watcher.close();
  expect(message).toContain('web1 FAILED (DISK_FULL)');
  expect(message).toContain('line 25 of the log');
  expect(message).toContain('line 6 of the log');
  expect(message).not.toContain('line 5 of the log');
});
