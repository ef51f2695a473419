import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DatabaseWatch } from '../../src/control/database-watch.js';
import { BusyError } from '../../src/core/errors.js';

const away = new BusyError('DATABASE_UNAVAILABLE', { database: 'mysql://db/busy', detail: 'ECONNREFUSED' });

let lines: string[];
let questions: number;
let isThere: boolean;
let changes: boolean[];
let watch: DatabaseWatch;

beforeEach(() => {
  vi.useFakeTimers();
  [lines, questions, isThere, changes] = [[], 0, true, []];
  const log = {
    info: (message: string) => void lines.push(message),
    error: (message: string, { why }: Readonly<Record<string, unknown>>) =>
      void lines.push(`${message} (${String(why)})`),
  };
  watch = new DatabaseWatch({ clock: { now: () => new Date() }, log });
  watch.onChange((isAway) => changes.push(isAway));
  watch.start(() => {
    questions += 1;
    if (isThere) return Promise.resolve();
    watch.note(away);
    return Promise.reject(away);
  });
});
afterEach(async () => {
  await watch.stop();
  vi.useRealTimers();
});

it('notices by itself that the database goes away, and says so once', async () => {
  await vi.advanceTimersByTimeAsync(25_000);
  expect([questions, changes]).toEqual([2, []]);
  isThere = false;
  await vi.advanceTimersByTimeAsync(10_000);
  const since = watch.unavailableSince;
  expect(since).toBeInstanceOf(Date);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(watch.unavailableSince).toBe(since);
  expect(changes).toEqual([true]);
  expect(lines).toEqual([expect.stringMatching(/^the database is away; .*\(ECONNREFUSED\)$/)]);
});

it('asks soon at first, then every half minute', async () => {
  isThere = false;
  watch.note(away);
  const asked: number[] = [];
  for (let second = 1; second <= 120; second++) {
    const before = questions;
    await vi.advanceTimersByTimeAsync(1000);
    if (questions > before) asked.push(second);
  }
  expect(asked).toEqual([1, 3, 7, 15, 31, 61, 91]);
});

it('says once that it is back, and asks at its leisure again', async () => {
  isThere = false;
  watch.note(away);
  await vi.advanceTimersByTimeAsync(100_000);
  isThere = true;
  await vi.advanceTimersByTimeAsync(30_000);
  expect([watch.unavailableSince, changes]).toEqual([null, [true, false]]);
  expect(lines.slice(1)).toEqual(['the database is back']);
  const before = questions;
  await vi.advanceTimersByTimeAsync(30_000);
  expect(questions - before).toBe(3);
});

it('asks at once when an access succeeds', async () => {
  isThere = false;
  watch.note(away);
  await vi.advanceTimersByTimeAsync(100_000);
  isThere = true;
  watch.note(null);
  await vi.advanceTimersByTimeAsync(0);
  expect(watch.unavailableSince).toBeNull();
});

it('does not believe in a database that answers but takes nothing', async () => {
  isThere = false;
  watch.note(away);
  for (let reading = 0; reading < 10; reading++) {
    watch.note(null);
    await vi.advanceTimersByTimeAsync(0);
  }
  expect(watch.unavailableSince).not.toBeNull();
  expect(changes).toEqual([true]);
});
