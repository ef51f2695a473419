import { expect, it } from 'vitest';
import { DiskWatch } from '../../src/control/disk-watch.js';
import type { DiskSamples } from '../../src/core/disk-forecast.js';
import { sampleHost } from '../helpers/sample-host.js';

const hourMs = 3_600_000;
const gib = 1024 ** 3;

interface Past {
  readonly kept?: DiskSamples;
  readonly readError?: Error;
}

function watchOf({ kept = {}, readError }: Past = {}) {
  const state = { now: new Date('2026-11-26T12:00:00Z'), free: 100 * gib, kept, errors: [] as string[] };
  const watch = new DiskWatch({
    clock: { now: () => state.now },
    catalog: {
      hosts: () => [sampleHost({ backupdir: '/b' }), sampleHost({ name: 'web2', backupdir: '/b' })],
    },
    roomOf: async () => ({ free: { bytes: state.free, inodes: 1 }, total: { bytes: 1000 * gib, inodes: 9 } }),
    history: {
      read: async () => {
        if (readError) throw readError;
        return state.kept;
      },
      write: async (samples) => {
        state.kept = samples;
      },
    },
    onError: (message) => void state.errors.push(message),
  });
  return { watch, state };
}

it('notes each disk four times a day, and forecasts when it has seen enough', async () => {
  const { watch, state } = watchOf();
  await watch.start();
  await watch.look();
  watch.stop();
  expect(watch.forecastOf('/b', state.free)).toBeNull();
  for (let hour = 1; hour <= 96; hour++) {
    state.now = new Date(state.now.getTime() + hourMs);
    state.free -= gib / 24;
    await watch.look();
  }
  expect(state.kept['/b']).toHaveLength(17);
  const forecast = watch.forecastOf('/b', state.free);
  expect(forecast?.bytesPerDay).toBeCloseTo(gib, -3);
  expect(forecast?.since).toEqual(new Date('2026-11-26T12:00:00Z'));
  expect(watch.forecastOf('/other', gib)).toBeNull();
});

it('goes on with what was kept before a restart', async () => {
  const before = new Date('2026-11-20T12:00:00Z').getTime();
  const days = [0, 1, 2, 3].map((day) => ({
    atMs: before + day * 24 * hourMs,
    freeBytes: 106 * gib - day * gib,
  }));
  const { watch, state } = watchOf({ kept: { '/b': days } });
  await watch.start();
  await watch.look();
  watch.stop();
  expect(watch.forecastOf('/b', state.free)?.since).toEqual(new Date(before));
});

it('begins anew where the history cannot be read, and says so', async () => {
  const { watch, state } = watchOf({ readError: new Error('EIO') });
  await watch.start();
  await watch.look();
  watch.stop();
  expect(state.errors).toEqual(['the history of free space could not be read']);
  expect(state.kept['/b']).toHaveLength(1);
});
