import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Mail } from '../../src/core/mail.js';
import { MailControlBed } from '../helpers/mail-control-bed.js';
import { dayMs, endedRun, hourMs, mailHost, minuteMs } from '../helpers/mail-samples.js';

let bed: MailControlBed;
beforeEach(async () => {
  bed = await MailControlBed.open();
});
afterEach(() => bed.close());

const refuse = (): Promise<never> => Promise.reject(new Error('the mail server is down'));

it('keeps a mail while the mail server is down, and sends it once when it is back', async () => {
  bed.deliver = refuse;
  await bed.run('FAILED');
  await bed.pass(10 * hourMs, minuteMs);
  // After 0, 1, 3, 7, 15, 31 and 63 minutes, then each hour.
  expect(bed.attempts).toHaveLength(7 + 8);
  bed.deliver = () => Promise.resolve();
  await bed.pass(2 * hourMs, minuteMs);
  expect(bed.takeSubjects()).toEqual(['web1 FAILED (DISK_FULL)']);
  expect(new Set(bed.attempts.map(({ id }) => id)).size).toBe(1);
});

it('goes on after a restart and after a crash', async () => {
  bed.deliver = refuse;
  await bed.run('FAILED');
  await bed.restart();
  await bed.crash();
  bed.deliver = () => Promise.resolve();
  await bed.pass(hourMs);
  expect(bed.takeSubjects()).toEqual(['web1 FAILED (DISK_FULL)']);
  expect(await bed.restart()).toBeUndefined();
  await bed.pass(dayMs);
  expect(bed.takeSubjects()).toEqual([]);
});

it('gives a mail up after seven days, with an error in the log', async () => {
  bed.deliver = refuse;
  await bed.run('FAILED');
  await bed.run('SUCCEEDED');
  await bed.pass(7 * dayMs - hourMs);
  const gaveUp = (): number => bed.logged.filter(({ message }) => message === 'a mail was given up').length;
  expect(gaveUp()).toBe(0);
  await bed.pass(2 * hourMs);
  expect(gaveUp()).toBe(2);
  expect(bed.logged.find(({ message }) => message === 'a mail was given up')).toMatchObject({
    level: 'error',
    fields: {
      recipient: 'root',
      subject: expect.stringContaining('FAILED'),
      why: expect.stringContaining('down'),
    },
  });
  bed.deliver = () => Promise.resolve();
  await bed.pass(hourMs);
  expect(bed.takeSubjects()).toEqual(expect.not.arrayContaining(['web1 FAILED (DISK_FULL)']));
});

it('one recipient that is refused keeps no mail from the others', async () => {
  bed.hosts = [mailHost({}, { to: ['bad', 'good'] })];
  bed.deliver = (mail: Mail) => (mail.recipient === 'bad' ? refuse() : Promise.resolve());
  await bed.run('FAILED');
  await bed.pass(dayMs);
  expect(bed.sent.map(({ recipient }) => recipient)).toEqual(['good']);
});

it('a mail that was sent is not sent again when the database is down then', async () => {
  bed.storeFaults = { remove: () => Promise.reject(new Error('database is down')) };
  await bed.run('FAILED');
  await bed.pass(3 * hourMs);
  expect(bed.attempts).toHaveLength(1);
  bed.storeFaults = {};
  await bed.pass(hourMs);
  await bed.restart();
  await bed.pass(hourMs);
  expect(bed.attempts).toHaveLength(1);
});

it('a mail server that hangs delays nothing, and is left when the daemon stops', async () => {
  const started = new Promise<void>((resolve) => {
    bed.deliver = (_, signal) => {
      resolve();
      return new Promise((__, reject) =>
        signal.addEventListener('abort', () => reject(new Error('aborted'))),
      );
    };
  });
  const run = endedRun(9, 'FAILED', bed.now, { revision: bed.events.nextRevision() });
  await bed.notifier.runEnded(run);
  await started;
  // Hosts are judged while the mail hangs.
  await bed.notifier.tick();
  await bed.notifier.runEnded({
    ...run,
    id: '01JDTEST000000000000000010',
    state: 'SUCCEEDED',
    revision: run.revision + 1,
  });
  await bed.restart();
  expect(bed.sent).toEqual([]);
  bed.deliver = () => Promise.resolve();
  await bed.pass(hourMs);
  expect(bed.takeSubjects()).toEqual(['web1 FAILED (DISK_FULL)', 'web1 recovered']);
});
