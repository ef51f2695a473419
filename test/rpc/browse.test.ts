import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { call, errorInfoOf, failureOf, fakeParts, type Running, startServer } from './fixture.js';
import { fakeBrowser } from './fake-browser.js';
import { newGate } from './gate.js';

let running: Running;
afterEach(() => running.close());

describe('GetSnapshot', () => {
  it('answers the newest snapshot as of a time', async () => {
    running = await startServer();
    const ask = (asOf: Date | undefined) =>
      call(running, SnapshotServiceService.getSnapshot, { host: 'web1', name: '', asOf });
    expect((await ask(undefined)).snapshot?.name).toBe('2026-11-22_20-00-05i');
    expect((await ask(new Date(1_795_000_000_001))).snapshot?.name).toBe('2026-11-22_20-00-05i');
    const error = await failureOf(ask(new Date(0)));
    expect(errorInfoOf(error)?.reason).toBe('NO_SNAPSHOT');
  });
});

describe('ListFiles', () => {
  it('ends when its caller is gone, and nobody is told of a defect', async () => {
    const [started, ended] = [newGate(), newGate()];
    const { host, snapshots } = fakeParts().catalog;
    const browser = fakeBrowser({
      host,
      snapshots: snapshots(),
      // oxlint-disable-next-line require-yield
      browse: async function* (_kind, _task, signal) {
        const gone = once(signal, 'abort');
        started.open();
        await gone;
        ended.open();
        signal.throwIfAborted();
      },
    });
    running = await startServer({ browser });
    const { path, requestSerialize, responseDeserialize } = SnapshotServiceService.listFiles;
    const request = { host: 'web1', snapshot: '', path: '/', pageSize: 0, pageToken: '' };
    const failure = new Promise<number | undefined>((resolve) => {
      const asked = running.client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        (error) => resolve(error?.code),
      );
      void started.opened.then(() => asked.cancel());
    });
    expect(await failure).toBe(status.CANCELLED);
    await ended.opened;
    await call(running, SnapshotServiceService.getSnapshot, { host: 'web1', name: '', asOf: undefined });
    expect(running.logged).toEqual([]);
  });
});
