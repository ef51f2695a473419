import { describe, expect, it } from 'vitest';
import { newAlertState, type AlertKind } from '../../src/core/alerts.js';
import { BusyError } from '../../src/core/errors.js';
import type { AlertFacts, DigestEntry } from '../../src/core/mail.js';
import type { JobRecord } from '../../src/core/run.js';
import { formatBytes } from '../../src/core/figures.js';
import { heldFailure } from '../../src/core/source-gate.js';
import { formatAge, formatMoment } from '../../src/notify/mail-format.js';
import { createMailWriter } from '../../src/notify/report.js';
import { dayMs, endedRun, hourMs, minuteMs, snapshotAt } from '../helpers/mail-samples.js';
import { stats } from '../store/samples.js';

const writer = createMailWriter('backup1');
const now = new Date(2026, 10, 22, 20, 0, 5);
const before = (ms: number): Date => new Date(now.getTime() - ms);

function facts(kind: AlertKind, changes: Partial<AlertFacts> = {}): AlertFacts {
  const run = endedRun(1, 'FAILED', before(minuteMs), { jobs: [job({ state: 'FAILED' })] });
  const history = {
    ...newAlertState('web1', before(30 * dayMs), 0),
    failingSince: before(3 * dayMs),
    failureCount: 4,
  };
  return {
    alert: { kind, runId: run.id, history },
    host: 'web1',
    alertAfter: 7,
    run,
    newestSnapshot: snapshotAt(before(4 * dayMs)),
    logLines: ['2026-11-22T18:59:00.000Z rsync: no space left', '2026-11-22T18:59:05.000Z ended: FAILED'],
    now,
    ...changes,
  };
}

function job(changes: Partial<JobRecord> = {}): JobRecord {
  const files = { missingFiles: [], missingFileCount: 0 };
  return {
    number: 1,
    source: '/etc',
    state: 'SUCCEEDED',
    error: null,
    exitCode: 0,
    stats: null,
    ...files,
    ...changes,
  };
}

function entry(host: string, changes: Partial<DigestEntry['state']> = {}, isThere = true): DigestEntry {
  return {
    host,
    state: { ...newAlertState(host, now, 0), ...changes },
    newestSnapshot: isThere
      ? snapshotAt(before(26 * hourMs), { stats: { ...stats, totalBytes: 1_288_490_189 } })
      : null,
  };
}

describe('the mail about a failure', () => {
  it('says what failed, since when, what the log says and what to try', () => {
    const { subject, text } = writer.alert(facts('failing'));
    expect(subject).toBe('[busy] backup1: web1 FAILED (DISK_FULL)');
    expect(text).toBe(`The backup of host web1 failed.

Reason: DISK_FULL
  The backup disk is full: no space left.
  Free space below backupdir. No snapshot was harmed; the next backup goes on from what was copied.

Run:             01JDTEST000000000000000001, started ${formatMoment(before(11 * minuteMs))}, ended ${formatMoment(before(minuteMs))}
Failing since:   ${formatMoment(before(3 * dayMs))} (3 d 0 h ago), 4 runs in a row
Newest snapshot: 2026-11-21_20-00-05i, 4 d 0 h old

The last lines of its log:
  2026-11-22T18:59:00.000Z rsync: no space left
  2026-11-22T18:59:05.000Z ended: FAILED

What to try:
  busy run 01JDTEST000000000000000001   what happened, in short
  busy logs 01JDTEST000000000000000001  its whole log
  busy backup web1 --follow             a backup at once

-- 
BUSY on backup1, ${formatMoment(now)}
`);
  });

  it('about a held snapshot says what there was and is, and the ways out', () => {
    const heldFor = [
      { code: 'SHRUNK', source: '/etc', message: '/etc has 2 entries instead of 900' },
    ] as const;
    const held = snapshotAt(before(minuteMs), { heldFor });
    const error = heldFailure(held);
    const run = endedRun(1, 'PARTIAL', now, { error, snapshot: held.name });
    const { subject, text } = writer.alert(facts('failing', { run }));
    expect(subject).toBe('[busy] backup1: web1 HELD');
    expect(text).toContain('made a snapshot, but its source has changed so much that the snapshot is held.');
    expect(text).toContain('/etc has 2 entries instead of 900');
    expect(text).toContain(
      `  busy acknowledge web1 ${held.name} --yes            the source is as it should be`,
    );
    expect(text).toContain(
      `  busy acknowledge web1 ${held.name} --discard --yes  it is not: remove the snapshot`,
    );
    expect(writer.alert(facts('still_failing', { run })).subject).toBe('[busy] backup1: web1 still HELD');
  });

  it('lists the first 20 missing files of all source directories, and how many there are', () => {
    const missingFiles = Array.from({ length: 15 }, (_, index) => ({
      path: `/etc/${index}`,
      why: 'Permission denied (13)',
    }));
    const error = { reason: 'FILES_MISSING', message: 'some', advice: 'look' } as const;
    const jobs = [
      job({ state: 'PARTIAL', error, missingFiles, missingFileCount: 15 }),
      job({ number: 2, source: '/home', state: 'PARTIAL', error, missingFiles, missingFileCount: 4000 }),
      job({ number: 3, source: '/srv' }),
    ];
    const run = endedRun(1, 'PARTIAL', now, { jobs, error });
    const { subject, text } = writer.alert(facts('failing', { run }));
    expect(subject).toBe('[busy] backup1: web1 PARTIAL (FILES_MISSING)');
    expect(text).toContain('made a snapshot, but files are missing from it');
    expect(text).toContain('4015 files are missing, the first 20:\n  /etc/0: Permission denied (13)\n');
    expect(text.match(/Permission denied/g)).toHaveLength(20);
    expect(text).toContain('Source directories:\n  /etc: PARTIAL, some\n  /home: PARTIAL, some\n\n');
  });

  it('shows at most 20 lines, and nothing that acts on a terminal or looks like a line of ours', () => {
    const logLines = Array.from(
      { length: 50 },
      (_, index) => `line ${index} \u001b[2J\r\n${'x'.repeat(5000)}`,
    );
    const { text } = writer.alert(facts('still_failing', { logLines }));
    const shown = text.split('\n').filter((line) => line.startsWith('  line'));
    expect(shown).toHaveLength(20);
    expect(shown[0]).toMatch(/^ {2}line 30 \\x1b\[2J\\r\\nx+\.\.\.$/);
    expect(Math.max(...shown.map((line) => line.length))).toBeLessThan(510);
    expect(text.length).toBeLessThan(20_000);
  });

  it.each([
    ['failing', 'web1 FAILED (DISK_FULL)'],
    ['failed_again', 'web1 FAILED (DISK_FULL)'],
    ['still_failing', 'web1 still FAILED (DISK_FULL)'],
    ['recovered', 'web1 recovered'],
    ['overdue', 'web1 OVERDUE'],
    ['still_overdue', 'web1 still OVERDUE'],
    ['back', 'web1 is back'],
  ] as const)('%s stands in the subject', (kind, words) => {
    const { subject, text } = writer.alert(facts(kind));
    expect(subject).toBe(`[busy] backup1: ${words}`);
    expect(text).not.toMatch(/undefined|null|NaN|\[object/);
  });

  it('is complete without a run, a log or a snapshot', () => {
    const { text } = writer.alert(facts('overdue', { run: null, newestSnapshot: null, logLines: [] }));
    expect(text).toContain('Host web1 has had no snapshot for 7 days or more.');
    expect(text).toContain('Newest snapshot: none: there is no backup of this host');
    expect(text).toContain('busy probe web1');
  });

  it('of a recovery says since when it had failed, and asks for nothing', () => {
    const run = endedRun(2, 'SUCCEEDED', now);
    const { text } = writer.alert(facts('recovered', { run, newestSnapshot: snapshotAt(now) }));
    expect(text).toContain('The backups of host web1 succeed again.');
    expect(text).toContain('Had failed since:');
    expect(text).not.toContain('What to try');
    expect(text).not.toContain('Reason');
  });

  it('keeps a subject to one short line', () => {
    const { subject } = createMailWriter(`evil\r\nBcc: x@y ${'z'.repeat(500)}`).test(now);
    expect(subject).toMatch(/^\[busy\] evil\\r\\nBcc: x@y z+\.\.\.$/);
    expect(subject.length).toBeLessThanOrEqual(200);
  });
});

describe('the digest', () => {
  it('has one line a host, those that need attention first', () => {
    const entries = [
      entry('db1'),
      entry('laptop', { overdueToldAt: now }),
      entry('new1', {}, false),
      entry('web1', { failingSince: now, failureCount: 3 }),
    ];
    const { subject, text } = writer.digest(entries, now);
    expect(subject).toBe('[busy] backup1: digest: 3 of 4 hosts need attention');
    expect(text.split('\n').slice(0, 5)).toEqual([
      'HOST    STATE        NEWEST SNAPSHOT       AGE   BYTES    FAILURES',
      'laptop  overdue      2026-11-21_20-00-05i  26 h  1.2 GiB  0',
      'new1    no snapshot  none                  -     -        0',
      'web1    failing      2026-11-21_20-00-05i  26 h  1.2 GiB  3',
      'db1     ok           2026-11-21_20-00-05i  26 h  1.2 GiB  0',
    ]);
  });

  it('says that all is well', () => {
    expect(writer.digest([entry('db1')], now).subject).toBe('[busy] backup1: digest: all hosts ok');
  });
});

describe('numbers', () => {
  it('are shown as people read them', () => {
    expect(
      [0, 59, 60, 47 * 60, 48 * 60].map((minutes) => formatAge(before(minutes * minuteMs), now)),
    ).toEqual(['0 min', '59 min', '1 h', '47 h', '2 d 0 h']);
    expect(formatAge(new Date(now.getTime() + dayMs), now)).toBe('0 min');
    expect([0, 1023, 1024, 1_048_575, 1_048_576, 2 ** 53].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '1.0 MiB',
      '1.0 MiB',
      '8.0 PiB',
    ]);
    expect(formatMoment(now)).toMatch(/^2026-11-22 20:00:05 [+-]\d\d:\d\d$/);
  });
});

describe('the mail about damage', () => {
  it('names the files, the snapshots and what to do', () => {
    const differences = Array.from({ length: 25 }, (_, at) => ({
      snapshot: '2026-11-20_20-00-05f',
      kind: 'content' as const,
      path: `/etc/file ${at}`,
      detail: 'its hash was a, is b',
    }));
    const verification = {
      snapshots: ['2026-11-20_20-00-05f'],
      unverifiable: [],
      entries: 100,
      filesRead: 100,
      bytesRead: 1000,
      differences: [
        { ...differences[0], kind: 'mode' as const, path: '/only mode', detail: '', snapshot: 'x' },
        ...differences,
      ],
      differenceCount: 26,
      damagedFileCount: 25,
    };
    const error = new BusyError('SNAPSHOT_DAMAGED', {
      host: 'web1',
      found: '25 damaged or missing files',
      first: '/etc/file 0',
    }).toFailure();
    const run = endedRun(1, 'FAILED', before(minuteMs), { kind: 'verify', verification, error });
    const { subject, text } = writer.alert(facts('damaged', { run }));
    expect(subject).toBe('[busy] backup1: web1 DAMAGED files in snapshots');
    expect(text).toContain(
      '25 files are damaged or missing, the first 20:\n  2026-11-20_20-00-05f /etc/file 0: content, its hash was a, is b\n',
    );
    expect(text).not.toContain('/only mode');
    expect(text).toContain(
      'Host "web1" has 25 damaged or missing files in its snapshots, the first: /etc/file 0.',
    );
    expect(text).toMatch(
      /busy backup web1 --follow +stores afresh what the host still has\n +busy verify web1 +whether more is damaged/,
    );
  });
});
