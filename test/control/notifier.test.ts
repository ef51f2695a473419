import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import { MailControlBed } from '../helpers/mail-control-bed.js';
import { dayMs, endedRun, hourMs, mailHost, minuteMs, snapshotAt } from '../helpers/mail-samples.js';

let bed: MailControlBed;
beforeEach(async () => {
  bed = await MailControlBed.open();
});
afterEach(() => bed.close());

describe('over simulated weeks', () => {
  it('a failing server gives one mail, its reminders and one when it recovers', async () => {
    for (let night = 0; night < 3; night++) {
      await bed.run('SUCCEEDED');
      await bed.pass(dayMs);
    }
    for (let night = 0; night < 14; night++) {
      // The retries of a night are no news.
      for (let retry = 0; retry < 5; retry++) {
        await bed.run('FAILED');
        await bed.pass(20 * minuteMs);
      }
      await bed.pass(dayMs - 100 * minuteMs, 4 * hourMs);
    }
    await bed.run('SUCCEEDED');
    await bed.pass(3 * dayMs);
    expect(bed.takeSubjects()).toEqual([
      'web1 FAILED (DISK_FULL)',
      ...Array.from({ length: 4 }, () => 'web1 still FAILED (DISK_FULL)'),
      'web1 recovered',
    ]);
  });

  it('sixty days of a laptop that comes and goes give mails only for its long absence', async () => {
    bed.hosts = [mailHost({ name: 'laptop' }, { reminderMs: 7 * dayMs })];
    const awayFrom = new Set([3, 4, 5, 10, 11, ...Array.from({ length: 19 }, (_, index) => 30 + index)]);
    for (let day = 0; day < 60; day++) {
      if (!awayFrom.has(day)) await bed.run('SUCCEEDED', 'laptop');
      await bed.pass(dayMs, 4 * hourMs);
    }
    expect(bed.takeSubjects()).toEqual(['laptop OVERDUE', 'laptop still OVERDUE', 'laptop is back']);
  });

  it('restarts each night change nothing', async () => {
    for (let night = 0; night < 14; night++) {
      await bed.run(night < 11 ? 'FAILED' : 'SUCCEEDED');
      await bed.restart();
      await bed.pass(dayMs, 6 * hourMs);
      await bed.crash();
    }
    expect(bed.takeSubjects()).toHaveLength(1 + 3 + 1);
  });

  it('many hosts fail for themselves', async () => {
    bed.hosts = ['a', 'b', 'c'].map((name) => mailHost({ name }, { to: [`${name}@x`, 'root'] }));
    await bed.run('FAILED', 'a');
    await bed.run('SUCCEEDED', 'b');
    await bed.run('PARTIAL', 'c');
    await bed.run('SUCCEEDED', 'a');
    expect(
      bed.sent.map(({ recipient, subject }) => `${recipient} ${subject.split(' ').slice(2).join(' ')}`),
    ).toEqual([
      'a@x a FAILED (DISK_FULL)',
      'root a FAILED (DISK_FULL)',
      'c@x c PARTIAL (DISK_FULL)',
      'root c PARTIAL (DISK_FULL)',
      'a@x a recovered',
      'root a recovered',
    ]);
    expect(new Set(bed.sent.map(({ id }) => id)).size).toBe(6);
  });
});

describe('a mail', () => {
  it('has the run, its log and the newest snapshot', async () => {
    bed.snapshots.set('web1', snapshotAt(new Date(bed.now.getTime() - 2 * dayMs)));
    const run = await bed.run('FAILED');
    expect(bed.sent[0]?.text).toContain(`  log of ${run.id}\n`);
    expect(bed.sent[0]?.text).toContain('2026-11-21_20-00-05i, 2 d 0 h old');
  });

  it('of a reminder after a restart has the newest failed run', async () => {
    await bed.run('FAILED');
    await bed.pass(dayMs);
    const run = await bed.run('FAILED', 'web1', {
      error: new BusyError('SOURCE_MISSING', { source: '/srv', host: 'web1' }).toFailure(),
    });
    await bed.restart();
    await bed.pass(3 * dayMs);
    expect(bed.sent[1]?.subject).toContain('still FAILED (SOURCE_MISSING)');
    expect(bed.sent[1]?.text).toContain(run.id);
  });

  it('is sent also when the log cannot be read', async () => {
    bed.readLog = () => Promise.reject(new Error('EIO'));
    await bed.run('FAILED');
    expect(bed.takeSubjects()).toEqual(['web1 FAILED (DISK_FULL)']);
    expect(bed.logged).toMatchObject([
      { level: 'warn', message: expect.stringContaining('log of a run') },
      {},
    ]);
  });
});

describe('ends of runs', () => {
  it('are heard of from the events', async () => {
    const run = endedRun(50, 'FAILED', bed.now, { revision: bed.events.nextRevision() });
    await bed.runs.add(run);
    const isSent = new Promise<void>((resolve) => {
      bed.deliver = async () => resolve();
    });
    bed.events.publish({ run, progress: null });
    await isSent;
  });

  it('that came while the daemon died are told after the next start, once', async () => {
    await bed.run('SUCCEEDED');
    await bed.crash();
    const missed = endedRun(60, 'FAILED', bed.now, { revision: bed.events.nextRevision() });
    await bed.runs.add(missed);
    await bed.restart();
    await bed.tick();
    await bed.notifier.runEnded(missed);
    await bed.outbox.idle();
    await bed.restart();
    await bed.tick();
    expect(bed.takeSubjects()).toEqual(['web1 FAILED (DISK_FULL)']);
  });

  it('from before the first start tell nothing', async () => {
    await bed.runs.add(endedRun(1, 'FAILED', bed.now, { revision: 1 }));
    await bed.restart();
    await bed.tick();
    expect(bed.takeSubjects()).toEqual([]);
  });

  it('of a host that is no longer configured tell nothing', async () => {
    await bed.run('FAILED', 'gone');
    expect(bed.takeSubjects()).toEqual([]);
  });

  it('are judged later, in order, when the database is down', async () => {
    bed.storeFaults = { recordAlert: () => Promise.reject(new Error('database is down')) };
    await bed.run('FAILED');
    await bed.run('SUCCEEDED');
    expect(bed.takeSubjects()).toEqual([]);
    expect(bed.logged.at(-1)).toMatchObject({
      level: 'error',
      message: expect.stringContaining('tried again'),
    });
    bed.storeFaults = {};
    await bed.tick();
    expect(bed.takeSubjects()).toEqual(['web1 FAILED (DISK_FULL)', 'web1 recovered']);
  });
});

describe('the digest', () => {
  beforeEach(async () => {
    bed.settings = { digest: '08:00', digestTo: ['boss', 'root'] };
    await bed.restart();
  });

  it('comes once a day at its time, to each of its readers', async () => {
    bed.snapshots.set('web1', snapshotAt(bed.now));
    await bed.tick();
    await bed.pass(59 * minuteMs, minuteMs);
    expect(bed.sent).toEqual([]);
    await bed.pass(minuteMs);
    expect(bed.sent.map(({ recipient }) => recipient).sort()).toEqual(['boss', 'root']);
    bed.takeSubjects();
    await bed.pass(5 * dayMs);
    expect(bed.takeSubjects()).toEqual(Array.from({ length: 10 }, () => 'digest: all hosts ok'));
  });

  it('is not sent twice by a restart, and once when it was missed', async () => {
    await bed.tick();
    await bed.pass(2 * hourMs);
    expect(bed.takeSubjects()).toHaveLength(2);
    await bed.restart();
    await bed.tick();
    expect(bed.takeSubjects()).toEqual([]);
    bed.now = new Date(bed.now.getTime() + 3 * dayMs);
    await bed.restart();
    await bed.tick();
    expect(bed.takeSubjects()).toHaveLength(2);
  });

  it('goes on after the clock was set back', async () => {
    await bed.tick();
    bed.now = new Date(2038, 0, 1, 9, 0);
    await bed.tick();
    bed.now = new Date(2026, 10, 1, 9, 0);
    await bed.tick();
    bed.takeSubjects();
    await bed.pass(2 * dayMs);
    expect(bed.takeSubjects().filter((subject) => subject.startsWith('digest'))).toHaveLength(4);
  });
});
