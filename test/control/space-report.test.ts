import { describe, expect, test } from 'vitest';
import { SpaceReporter, type SpaceReportParts, type SpaceStep } from '../../src/control/space-report.js';
import { BusyError } from '../../src/core/errors.js';
import type { MeasureProgress } from '../../src/core/executor-port.js';
import type { DiskUsage } from '../../src/core/space.js';
import { sampleHost } from '../helpers/sample-host.js';
import { until } from '../helpers/test-bed.js';
import { sampleSnapshot } from '../rpc/samples.js';

const never = new AbortController().signal;
const snapshots = ['2026-11-03_20-00-05i', '2026-11-02_20-00-05i', '2026-11-01_20-00-05f'].map((name) =>
  sampleSnapshot('web1', name),
);

interface Measurement {
  readonly groups: readonly (readonly string[])[];
  readonly onProgress: (progress: MeasureProgress) => void;
  readonly signal: AbortSignal;
  finish(usages: readonly (DiskUsage | null)[]): void;
  fail(error: BusyError): void;
}

function usage(bytes: number): DiskUsage {
  return { seen: { bytes, inodes: 2 }, own: { bytes: bytes - 1, inodes: 1 }, sharedBytes: bytes / 3 };
}

class Bed {
  readonly measurements: Measurement[] = [];
  private handedOut = 0;
  readonly parts: SpaceReportParts = {
    catalog: {
      hosts: () => [sampleHost()],
      host: (name) => {
        if (name !== 'web1') throw new BusyError('HOST_NOT_FOUND', { host: name });
        return sampleHost();
      },
      snapshots: () => snapshots,
    },
    executor: {
      measure: (groups, onProgress, signal) =>
        new Promise((finish, fail) => {
          this.measurements.push({ groups, onProgress, signal, finish, fail });
          signal.addEventListener('abort', () => fail(new BusyError('CANCELLED')));
        }),
    },
    disk: {
      locate: (some) =>
        Promise.resolve(
          new Map(some.map((one, index) => [one, index === 1 ? 'absent' : 'present'] as const)),
        ),
      leftovers: () =>
        Promise.resolve({
          unfinished: ['/b/.partial-x', '/b/.partial-y'],
          removed: [],
          trashed: ['/b/.trash-x'],
        }),
      roomOf: () => Promise.resolve(null),
    },
  };
  readonly reporter = new SpaceReporter(this.parts);

  async next(): Promise<Measurement> {
    const index = this.handedOut++;
    await until(() => this.measurements.length > index, 'a measurement');
    return this.measurements[index] as Measurement;
  }
}

async function all(steps: AsyncGenerator<SpaceStep>): Promise<SpaceStep[]> {
  const heard: SpaceStep[] = [];
  for await (const step of steps) heard.push(step);
  return heard;
}

describe('a report of space', () => {
  test('measures what is on the disk, and tells how far it is', async () => {
    const bed = new Bed();
    const steps = all(bed.reporter.measure('web1', never));
    const measurement = await bed.next();
    expect(measurement.groups).toEqual([
      [snapshots[0]?.path],
      [snapshots[2]?.path],
      ['/b/.partial-x', '/b/.partial-y'],
      ['/b/.trash-x'],
    ]);
    measurement.onProgress({ groupsDone: 1, entries: 10 });
    measurement.finish([usage(300), null, usage(10), usage(30)]);
    const [result] = (await steps).slice(-1);
    expect(result).toMatchObject({
      result: {
        host: 'web1',
        totalBytes: 113,
        unfinishedBytes: 3,
        removedBytes: 0,
        trashBytes: 10,
        room: null,
      },
    });
    expect(result && 'result' in result && result.result.snapshots.map(({ snapshot }) => snapshot)).toEqual([
      snapshots[0],
    ]);
  });

  test('two take turns, and the second says that it waits', async () => {
    const bed = new Bed();
    const first = all(bed.reporter.measure('web1', never));
    const measurement = await bed.next();
    const second = bed.reporter.measure('web1', never);
    expect((await second.next()).value).toMatchObject({ progress: { host: '' } });
    const rest = all(second);
    measurement.fail(new BusyError('EXECUTOR_DIED', { ending: 'signal SIGKILL' }));
    await expect(first).rejects.toMatchObject({ reason: 'EXECUTOR_DIED' });
    (await bed.next()).finish([null, null, null, null]);
    expect(await rest).toHaveLength(1);
  });

  test('ends with its caller, and gives the turn back', async () => {
    const bed = new Bed();
    const leave = new AbortController();
    const steps = all(bed.reporter.measure('web1', leave.signal));
    const measurement = await bed.next();
    leave.abort();
    expect(await steps).toEqual([]);
    expect(measurement.signal.aborted).toBe(true);
    const left = bed.reporter.measure(null, never);
    const beginning = left.next();
    const other = await bed.next();
    other.onProgress({ groupsDone: 0, entries: 1 });
    await beginning;
    await left.return(undefined);
    expect(other.signal.aborted).toBe(true);
    const again = all(bed.reporter.measure('web1', never));
    (await bed.next()).finish([null, null, null, null]);
    expect(await again).toHaveLength(1);
  });

  test('of a host that there is not is refused', async () => {
    await expect(all(new Bed().reporter.measure('web9', never))).rejects.toMatchObject({
      reason: 'HOST_NOT_FOUND',
    });
  });
});
