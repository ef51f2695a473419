/** A daemon that dies while its database is away must not leave records of snapshots that it has removed. */
import { expect, test, vi } from 'vitest';
import { Pruner } from '../../src/control/pruner.js';
import { Sweeper } from '../../src/control/sweeper.js';
import { BusyError } from '../../src/core/errors.js';
import { ControlBed } from '../helpers/control-bed.js';
import { presentDisk } from '../helpers/present-disk.js';
import { sampleHost } from '../helpers/sample-host.js';
import { sampleSnapshot } from '../store/samples.js';

const [older, newest] = ['2026-11-21_20-00-00i', '2026-11-22_20-00-00f'] as const;
const keep = { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0 };

test('what was removed stays on the disk until the database has forgotten it', async () => {
  const bed = await ControlBed.open();
  const { catalog } = bed.parts;
  catalog.replaceHosts([sampleHost({ keep })]);
  for (const name of [older, newest]) await catalog.record(sampleSnapshot(name));
  const done: string[] = [];
  const said: string[] = [];
  const pruner = new Pruner({
    ...bed.parts,
    lifecycle: bed.lifecycle,
    audit: { note: () => Promise.resolve() },
    disk: {
      ...presentDisk,
      takeOut: async ({ name }) => void done.push(`out ${name}`),
      sweepBeside: async () => done.push('sweep') > 0,
    },
    log: {
      info: () => {},
      warn: (message, fields) => void said.push(`${message} ${JSON.stringify(fields)}`),
      error: () => {},
    },
  });
  const settled = vi.spyOn(catalog, 'settled');
  settled.mockRejectedValue(new BusyError('DATABASE_UNAVAILABLE', { database: 'db', detail: 'gone' }));
  const host = catalog.host('web1');
  await pruner.expire([host]);
  expect(done).toEqual([`out ${older}`]);
  await expect.poll(() => said[0]).toMatch(/could not be freed.*the database.*db/i);
  settled.mockResolvedValue();
  await pruner.expire([host]);
  expect(done).toEqual([`out ${older}`, 'sweep']);
  await pruner.stop(new AbortController().signal);
  await bed.close();
});

test('what could not be freed while the database was away is freed soon after it is back, and that is said once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const host = sampleHost();
  const swept: string[] = [];
  const said: string[] = [];
  const settled = vi.fn(() => Promise.resolve());
  settled.mockRejectedValue(new BusyError('DATABASE_UNAVAILABLE', { database: 'db', detail: 'gone' }));
  const sweeper = new Sweeper({
    hold: { isOurs: () => true },
    catalog: { settled },
    disk: { sweepBeside: async ({ path }) => swept.push(path) > 0 },
    log: { warn: (message) => void said.push(message) },
  });
  sweeper.sweep(host, { path: '/srv/web1/a' });
  for (let count = 0; count < 4; count++) await vi.advanceTimersByTimeAsync(30_000);
  expect(settled).toHaveBeenCalledTimes(5);
  expect(said).toEqual([expect.stringContaining('tried again soon')]);
  settled.mockResolvedValue();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(swept).toEqual(['/srv/web1/a']);
  await vi.advanceTimersByTimeAsync(300_000);
  expect(swept).toHaveLength(1);
  await sweeper.stop();
  vi.useRealTimers();
});
