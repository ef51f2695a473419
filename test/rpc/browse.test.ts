import { afterEach, describe, expect, it } from 'vitest';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { call, errorInfoOf, failureOf, type Running, startServer } from './fixture.js';

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
