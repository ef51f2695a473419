import { describe, expect, it } from 'vitest';
import {
  decideAfterRun,
  decideAfterTime,
  newAlertState,
  type AlertKind,
  type AlertState,
  type Decision,
} from '../../src/core/alerts.js';
import { BusyError } from '../../src/core/errors.js';
import type { Host } from '../../src/core/host.js';
import type { RunState } from '../../src/core/run.js';
import { dayMs, endedRun, hourMs, mailHost } from '../helpers/mail-samples.js';

const start = new Date('2026-11-01T12:00:00Z');

/** One host and its history, moved by hand. */
class History {
  state: AlertState = newAlertState('web1', start, 0);
  now = start;
  newestSnapshotAt: Date | null = start;
  daemonStartedAt = start;
  private number = 0;

  constructor(private host: Host = mailHost()) {}

  become(host: Host): this {
    this.host = host;
    return this;
  }

  run(
    state: RunState,
    reason?: 'HOST_UNREACHABLE' | 'HOST_WENT_AWAY' | 'CONNECTION_LOST' | 'SNAPSHOT_HELD',
  ): AlertKind[] {
    this.number += 1;
    if (state === 'SUCCEEDED' || state === 'PARTIAL') this.newestSnapshotAt = this.now;
    const error = reason && new BusyError(reason, {}).toFailure();
    const run = endedRun(this.number, state, this.now, error ? { error } : {});
    return this.take(decideAfterRun(this.host, this.state, run, this));
  }

  pass(ms: number): AlertKind[] {
    const end = this.now.getTime() + ms;
    const kinds: AlertKind[] = [];
    while (this.now.getTime() < end) {
      this.now = new Date(Math.min(end, this.now.getTime() + hourMs));
      kinds.push(...this.take(decideAfterTime(this.host, this.state, this)));
    }
    return kinds;
  }

  private take({ state, alerts }: Decision): AlertKind[] {
    this.state = state;
    return alerts.map(({ kind }) => kind);
  }
}

describe('mail: on_change', () => {
  it('fault 12: tells once that a host starts to fail and once that it recovered', () => {
    const history = new History();
    expect(history.run('SUCCEEDED')).toEqual([]);
    expect(history.run('FAILED')).toEqual(['failing']);
    for (let retry = 0; retry < 20; retry++) expect(history.run('FAILED')).toEqual([]);
    expect(history.run('SUCCEEDED')).toEqual(['recovered']);
    expect(history.run('SUCCEEDED')).toEqual([]);
  });

  it('fault 12: reminds once a period while it goes on failing, counted from the last mail', () => {
    const history = new History(mailHost({ alertAfter: 0 }));
    const kinds: AlertKind[] = [];
    for (let night = 0; night < 10; night++) kinds.push(...history.run('FAILED'), ...history.pass(dayMs));
    expect(kinds).toEqual(['failing', 'still_failing', 'still_failing', 'still_failing']);
  });

  it('reminds of a night that came a little early as soon as the period is over', () => {
    const history = new History(mailHost({}, { reminderMs: dayMs }));
    history.run('FAILED');
    history.pass(dayMs - 1000);
    expect(history.run('FAILED')).toEqual([]);
    expect(history.pass(hourMs)).toEqual(['still_failing']);
  });

  it('does not remind of a failure that was told when nothing failed since', () => {
    const history = new History(mailHost({ alertAfter: 0 }));
    history.run('FAILED');
    expect(history.pass(30 * dayMs)).toEqual([]);
  });

  it('never reminds with a reminder of 0', () => {
    const history = new History(mailHost({}, { reminderMs: 0 }));
    const kinds: AlertKind[] = [];
    for (let night = 0; night < 30; night++) kinds.push(...history.run('FAILED'), ...history.pass(dayMs));
    expect(kinds).toEqual(['failing']);
  });

  it('counts failures and keeps their begin', () => {
    const history = new History();
    history.run('FAILED');
    history.pass(dayMs);
    history.run('INTERRUPTED');
    expect(history.state).toMatchObject({ failureCount: 2, failingSince: start, lastFailureAt: history.now });
    history.run('SUCCEEDED');
    expect(history.state).toMatchObject({ failureCount: 0, failingSince: null, lastFailureAt: null });
  });

  it('goes on telling after the clock was far in the future', () => {
    const history = new History(mailHost({ alertAfter: 0 }));
    history.now = new Date('2038-01-01T00:00:00Z');
    expect(history.run('FAILED')).toEqual(['failing']);
    history.now = start;
    expect(history.run('FAILED')).toEqual(['still_failing']);
  });
});

describe('what counts as a failure', () => {
  it.each([
    ['FAILED', true, ['failing']],
    ['INTERRUPTED', true, ['failing']],
    ['PARTIAL', true, ['failing']],
    ['PARTIAL', false, []],
    ['CANCELLED', true, []],
    ['SUCCEEDED', true, []],
  ] as const)('%s, with includesPartial %s', (state, includesPartial, kinds) => {
    expect(new History(mailHost({}, { includesPartial })).run(state)).toEqual(kinds);
  });

  it('a host that is not there does not fail', () => {
    expect(new History().run('FAILED', 'HOST_UNREACHABLE')).toEqual([]);
    expect(new History().run('FAILED', 'HOST_WENT_AWAY')).toEqual([]);
    expect(new History().run('FAILED', 'CONNECTION_LOST')).toEqual(['failing']);
  });

  it('a host that goes away in each backup is told of as overdue, or at once where nobody would hear of that', () => {
    const history = new History();
    const kinds: AlertKind[] = [];
    for (let day = 0; day < 8; day++)
      kinds.push(...history.run('FAILED', 'HOST_WENT_AWAY'), ...history.pass(dayMs));
    expect(kinds).toEqual(['overdue']);
    expect(new History(mailHost({ alertAfter: 0 })).run('FAILED', 'HOST_WENT_AWAY')).toEqual(['failing']);
    expect(new History(mailHost({ alertAfter: 0 })).run('FAILED', 'HOST_UNREACHABLE')).toEqual([]);
  });

  it('a cancelled run neither ends nor prolongs a failure', () => {
    const history = new History();
    history.run('FAILED');
    expect(history.run('CANCELLED')).toEqual([]);
    expect(history.state.failureCount).toBe(1);
    expect(history.run('SUCCEEDED')).toEqual(['recovered']);
  });

  it('a partial run ends a failure where it is none itself', () => {
    const history = new History(mailHost({}, { includesPartial: false }));
    history.run('FAILED');
    expect(history.run('PARTIAL')).toEqual(['recovered']);
  });
});

describe('mail: every_failure and never', () => {
  it('tells each failed run, and nothing else', () => {
    const history = new History(mailHost({}, { when: 'every_failure' }));
    const kinds = ['FAILED', 'FAILED', 'SUCCEEDED', 'CANCELLED', 'PARTIAL'] as const;
    expect(kinds.map((state) => history.run(state))).toEqual([
      ['failing'],
      ['failed_again'],
      [],
      [],
      ['failing'],
    ]);
  });

  it('tells nothing at all, also not that a host is away', () => {
    const history = new History(mailHost({}, { when: 'never' }));
    expect([...history.run('FAILED'), ...history.pass(60 * dayMs), ...history.run('SUCCEEDED')]).toEqual([]);
  });

  it('tells nothing where there is nobody to tell', () => {
    const history = new History(mailHost({}, { to: [] }));
    expect([...history.run('FAILED'), ...history.pass(60 * dayMs), ...history.run('SUCCEEDED')]).toEqual([]);
  });

  it('tells of a host that fails when mails are switched on', () => {
    const history = new History(mailHost({}, { when: 'never' }));
    history.run('FAILED');
    expect(history.become(mailHost()).pass(dayMs)).toEqual(['failing']);
  });
});

describe('a host without a snapshot for alert_after days', () => {
  it('is told of once, then by reminders, and when it is back', () => {
    const history = new History();
    expect(history.pass(7 * dayMs - hourMs)).toEqual([]);
    expect(history.pass(hourMs)).toEqual(['overdue']);
    expect(history.pass(7 * dayMs)).toEqual(['still_overdue', 'still_overdue']);
    expect(history.run('SUCCEEDED')).toEqual(['back']);
    expect(history.pass(6 * dayMs)).toEqual([]);
  });

  it('counts from when it was first looked at when it never had one', () => {
    const history = new History();
    history.newestSnapshotAt = null;
    expect(history.pass(8 * dayMs)).toEqual(['overdue']);
  });

  it('causes no other mail, however often it is tried', () => {
    const history = new History();
    const kinds: AlertKind[] = [];
    for (let day = 0; day < 8; day++)
      kinds.push(...history.run('FAILED', 'HOST_UNREACHABLE'), ...history.pass(dayMs));
    expect(kinds).toEqual(['overdue']);
  });

  it('is not told of beside its failures, which are known', () => {
    const history = new History();
    const kinds: AlertKind[] = [];
    for (let night = 0; night < 14; night++) kinds.push(...history.run('FAILED'), ...history.pass(dayMs));
    expect(new Set(kinds)).toEqual(new Set(['failing', 'still_failing']));
  });

  it('is told of when it failed once and then went away', () => {
    const history = new History();
    expect(history.run('FAILED')).toEqual(['failing']);
    expect(history.pass(8 * dayMs)).toEqual(['overdue']);
    expect(history.run('SUCCEEDED')).toEqual(['recovered']);
  });

  it('gives one mail when it comes back and fails', () => {
    const history = new History();
    history.pass(8 * dayMs);
    expect(history.run('PARTIAL')).toEqual(['failing']);
    expect(history.state.overdueToldAt).toBeNull();
  });

  it('is back also when a snapshot appears without a run', () => {
    const history = new History();
    history.pass(8 * dayMs);
    history.newestSnapshotAt = history.now;
    expect(history.pass(hourMs)).toEqual(['back']);
  });

  it('first gets a chance when the daemon was away for weeks', () => {
    const history = new History();
    history.now = new Date(start.getTime() + 30 * dayMs);
    history.daemonStartedAt = history.now;
    expect(history.pass(hourMs / 2)).toEqual([]);
    expect(history.pass(hourMs)).toEqual(['overdue']);
  });

  it('with 0 is never told of', () => {
    expect(new History(mailHost({ alertAfter: 0 })).pass(60 * dayMs)).toEqual([]);
  });
});

it('nothing changes in the state when nothing follows from the time', () => {
  const state = newAlertState('web1', start, 5);
  const moment = { now: start, newestSnapshotAt: start, daemonStartedAt: start };
  expect(decideAfterTime(mailHost(), state, moment).state).toBe(state);
});

describe('a held snapshot', () => {
  it('is told at once, also of a host that fails anyway, then as a reminder, and its end as a recovery', () => {
    const history = new History();
    expect(history.run('FAILED', 'CONNECTION_LOST')).toEqual(['failing']);
    history.pass(hourMs);
    expect(history.run('PARTIAL', 'SNAPSHOT_HELD')).toEqual(['failing']);
    history.pass(dayMs);
    expect(history.run('PARTIAL', 'SNAPSHOT_HELD')).toEqual([]);
    expect(history.pass(2 * dayMs)).toEqual(['still_failing']);
    expect(history.run('SUCCEEDED')).toEqual(['recovered']);
    expect(history.state.heldToldAt).toBe(null);
    expect(history.run('PARTIAL', 'SNAPSHOT_HELD')).toEqual(['failing']);
  });

  it('counts as a failure also where partial backups do not', () => {
    const history = new History(mailHost({}, { includesPartial: false }));
    expect(history.run('PARTIAL')).toEqual([]);
    expect(history.run('PARTIAL', 'SNAPSHOT_HELD')).toEqual(['failing']);
  });

  it('is told of nobody who wants no mail, and that is not forgotten', () => {
    const history = new History(mailHost({}, { when: 'never' }));
    expect(history.run('PARTIAL', 'SNAPSHOT_HELD')).toEqual([]);
    expect(history.state).toMatchObject({ heldToldAt: null, failureToldAt: null, failureCount: 1 });
    expect(history.become(mailHost()).run('PARTIAL', 'SNAPSHOT_HELD')).toEqual(['failing']);
  });
});
