import { afterEach, beforeEach, expect, it } from 'vitest';
import type { HostHold } from '../../src/control/host-claims.js';
import { Pruner } from '../../src/control/pruner.js';
import { BusyError } from '../../src/core/errors.js';
import type { SnapshotDisk } from '../../src/core/ports.js';
import { ControlBed } from '../helpers/control-bed.js';
import { presentDisk } from '../helpers/present-disk.js';
import { sampleHost } from '../helpers/sample-host.js';
import { sampleSnapshot } from '../rpc/samples.js';

let bed: ControlBed;
/** Hosts that another daemon has. */
let elsewhere: Set<string>;
let hold: HostHold;

beforeEach(async () => {
  elsewhere = new Set();
  hold = {
    isOurs: (host) => !elsewhere.has(host),
    isPostman: () => true,
    refuseElsewhere: (host) => {
      if (elsewhere.has(host)) throw elsewhereOf(host);
    },
    require: (host) => (elsewhere.has(host) ? Promise.reject(elsewhereOf(host)) : Promise.resolve()),
  };
  bed = await ControlBed.open({ hosts: ['web1', 'web2'], maxRunning: 1, parts: { hold } });
});
afterEach(() => bed.close());

const elsewhereOf = (host: string): BusyError =>
  new BusyError('HOST_ELSEWHERE', { host, machine: 'backup2', pid: '1' });
const backup = (host: string) => ({ host, type: 'auto', requestId: null }) as const;

it('a run of a daemon that lost its lease is stopped and INTERRUPTED; what waits is left to others', async () => {
  const { id } = await bed.lifecycle.trigger(backup('web1'));
  const running = await bed.parts.executor.next();
  const waiting = await bed.lifecycle.trigger(backup('web2'));
  running.obeyCancel();
  elsewhere = new Set(['web1', 'web2']);
  bed.lifecycle.surrender(true);
  const ended = await bed.ended(id);
  expect(ended).toMatchObject({ state: 'INTERRUPTED', error: { reason: 'LEASE_LOST' } });
  expect((await bed.log(id)).at(-1)).toMatch(
    /^ended: INTERRUPTED \(LEASE_LOST: .*another daemon may take over/,
  );
  expect(bed.lifecycle.counts()).toEqual({ queued: 0, running: 0 });
  expect([bed.lifecycle.isBusy('web1'), bed.lifecycle.isBusy('web2')]).toEqual([false, false]);
  expect((await bed.parts.runs.get(waiting.id))?.state).toBe('QUEUED');
  expect(bed.errors).toEqual([]);
});

it('what waits goes on waiting while the lease is only in doubt', async () => {
  bed.lifecycle.hold();
  const { id } = await bed.lifecycle.trigger(backup('web1'));
  elsewhere.add('web1');
  bed.lifecycle.surrender(false);
  bed.lifecycle.goOn();
  await new Promise((resolve) => setImmediate(resolve));
  expect((await bed.lifecycle.get(id)).state).toBe('QUEUED');
  elsewhere.clear();
  bed.lifecycle.goOn();
  expect((await bed.parts.executor.next()).task.runId).toBe(id);
});

it('a backup of a host of another daemon is refused, and so is the cancel of its run', async () => {
  elsewhere.add('web1');
  await expect(bed.lifecycle.trigger(backup('web1'))).rejects.toMatchObject({ reason: 'HOST_ELSEWHERE' });
  expect(await bed.lifecycle.list({})).toEqual([]);
  elsewhere.clear();
  const { id } = await bed.lifecycle.trigger(backup('web1'));
  await bed.parts.executor.next();
  bed = await bed.reopen({ hosts: ['web1'], parts: { hold } });
  elsewhere.add('web1');
  await expect(bed.lifecycle.cancel(id)).rejects.toMatchObject({ reason: 'HOST_ELSEWHERE' });
});

it('removing ends when the host comes into other hands, and for space nothing is removed of it', async () => {
  const { catalog } = bed.parts;
  catalog.replaceHosts([sampleHost({ keep: { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0 } })]);
  const days = ['01_20-00-05f', '02_20-00-05i', '03_20-00-05i', '04_20-00-05i'];
  const names = days.map((day) => `2026-11-${day}`);
  for (const name of names) await catalog.record(sampleSnapshot('web1', name));
  const removed: string[] = [];
  const disk: SnapshotDisk = {
    ...presentDisk,
    takeOut: async ({ name }) => {
      removed.push(name);
      elsewhere.add('web1');
    },
  };
  const say = (message: string): void => void lines.push(message);
  const lines: string[] = [];
  const pruner = new Pruner({
    audit: { note: () => Promise.resolve() },
    ...bed.parts,
    hold,
    lifecycle: bed.lifecycle,
    disk,
    log: { info: say, warn: say, error: say },
  });
  await expect(pruner.prune('web1')).rejects.toMatchObject({ reason: 'HOST_ELSEWHERE' });
  expect(await pruner.expire(catalog.hosts())).toBe(0);
  // The full is the base of what is kept; the next would be that of the third day.
  expect(removed).toEqual([names[1]]);
  expect(lines).toEqual(['a snapshot was removed']);
  await pruner.stop(new AbortController().signal);
});
