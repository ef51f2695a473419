/** The runs as the page hears of them, from a stream that breaks. */
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LiveRuns, type Connection } from '../../../clients/web/page/api/live-runs.js';
import { WatchRunsResponseSchema } from '../../../clients/web/gen/busy/v1/backup_service_pb.js';
import { RunSchema, RunState, type Run } from '../../../clients/web/gen/busy/v1/run_pb.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function run(id: string, state: RunState, revision: bigint): Run {
  return create(RunSchema, { id, host: `host-${id}`, state, revision });
}

/** Each inner list is what one stream sends before it breaks; after the last one nothing comes, and none breaks. */
function watch(streams: readonly (readonly Run[])[], answers: readonly boolean[] = []) {
  const left = [...streams];
  const answersLeft = [...answers];
  const after: bigint[] = [];
  const told: string[] = [];
  const connections: Connection[] = [];
  let backs = 0;
  const live = new LiveRuns(
    {
      watchRuns: async function* (request: { afterRevision?: bigint }, options?: { signal?: AbortSignal }) {
        after.push(request.afterRevision ?? 0n);
        const runs = left.shift();
        for (const one of runs ?? []) yield create(WatchRunsResponseSchema, { run: one });
        if (runs) throw new ConnectError('cut', Code.Internal);
        await new Promise((resolve) => options?.signal?.addEventListener('abort', resolve));
      } as never,
    },
    () => (answersLeft.shift() === false ? Promise.reject(new Error('nobody there')) : Promise.resolve()),
    {
      onStates: (runs) => told.push(runs.map(({ id, state }) => `${id} ${RunState[state]}`).join(', ')),
      onBack: () => void (backs += 1),
    },
  );
  live.subscribe(() => void connections.push(live.current().connection));
  live.start();
  return { live, after, told, connections, backs: () => backs };
}

it('tells of a run that begins and of one that ends, but not of its progress, together', async () => {
  const seen = watch([
    [run('a', RunState.RUNNING, 1n), run('b', RunState.QUEUED, 2n)],
    [run('a', RunState.RUNNING, 3n)],
    [run('a', RunState.SUCCEEDED, 4n), run('c', RunState.FAILED, 5n)],
  ]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(seen.told).toEqual(['a RUNNING, b QUEUED', 'a SUCCEEDED, c FAILED']);
  expect(seen.after).toEqual([0n, 2n, 3n, 5n]);
  seen.live.stop();
});

it('are not lost when only the stream was cut, as proxies do when nothing happens', async () => {
  const seen = watch([[], [], []]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(seen.after).toHaveLength(4);
  expect(new Set(seen.connections)).toEqual(new Set(['live']));
  expect(seen.backs()).toBe(0);
  seen.live.stop();
});

it('are lost while nobody answers, and what failed is then asked for once', async () => {
  const seen = watch([[]], [true, false, false, true]);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(seen.connections.filter((one, at) => one !== seen.connections[at - 1])).toEqual([
    'live',
    'lost',
    'live',
  ]);
  expect(seen.backs()).toBe(1);
  seen.live.stop();
});
