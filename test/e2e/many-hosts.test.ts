import { status } from '@grpc/grpc-js';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackupServiceService, type WatchRunsResponse } from '../../src/gen/busy/v1/backup_service.js';
import { HostServiceService } from '../../src/gen/busy/v1/host_service.js';
import { BackupType, RunState } from '../../src/gen/busy/v1/run.js';
import { callMethod, reasonOf } from '../helpers/grpc-calls.js';
import { hasEnded, TestBed } from '../helpers/test-bed.js';

const hostNames = Array.from({ length: 20 }, (_, index) => `host-${String(index).padStart(2, '0')}`);
const maxRunning = 4;

describe('many hosts', () => {
  let bed: TestBed;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    const hosts = [];
    for (const name of [...hostNames, 'slow']) {
      const source = join(bed.directory, 'sources', name);
      await mkdir(source, { recursive: true });
      for (let index = 0; index < 10; index++)
        await writeFile(join(source, `file-${index}`), `${name} ${index}`);
      hosts.push(bed.hostAt(sshd, { name, srcdirs: [source] }));
    }
    await writeFile(join(bed.directory, 'sources/slow/large'), Buffer.alloc(20_000_000));
    await bed.configure(
      hosts.map((host) => (host.name === 'slow' ? { ...host, bandwidth_limit: '500k' } : host)),
      { max_running: maxRunning },
    );
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  it('are backed up a few at a time, all of them, while the daemon answers', async () => {
    const client = bed.backups;
    const stream = client.watchRuns({ afterRevision: 0, host: '', runId: '' });
    stream.on('error', () => {});
    const states = new Map<string, RunState>();
    let mostRunning = 0;
    let answers = 0;
    await Promise.all(hostNames.map((host) => bed.trigger(host)));
    const hosts = bed.hosts;
    for await (const message of stream) {
      const { run } = message as WatchRunsResponse;
      if (!run) continue;
      const was = states.get(run.host);
      states.set(run.host, run.state);
      const running = [...states.values()].filter((state) => state === RunState.RUNNING).length;
      mostRunning = Math.max(mostRunning, running);
      if (was !== run.state) {
        const list = await callMethod(hosts, HostServiceService.listHosts, { pageSize: 0, pageToken: '' });
        expect(list.hosts).toHaveLength(hostNames.length + 1);
        answers += 1;
      }
      if (
        states.size === hostNames.length &&
        [...states.values()].every((state) => hasEnded({ ...run, state }))
      )
        break;
    }
    stream.cancel();
    client.close();
    hosts.close();
    expect(new Set(states.values())).toEqual(new Set([RunState.SUCCEEDED]));
    expect(mostRunning).toBe(maxRunning);
    expect(answers).toBeGreaterThanOrEqual(hostNames.length);
  });

  it('fault 9: a slow one holds up no other', async () => {
    const slow = await bed.trigger('slow');
    await bed.waitForRun(slow.id, ({ state }) => state === RunState.RUNNING);
    for (const name of hostNames.slice(0, 3)) expect((await bed.backUp(name)).state).toBe(RunState.SUCCEEDED);
    expect((await bed.lastRun('slow')).state).toBe(RunState.RUNNING);
    const client = bed.backups;
    await callMethod(client, BackupServiceService.cancelRun, { id: slow.id });
    client.close();
    expect((await bed.waitForRun(slow.id)).state).toBe(RunState.CANCELLED);
  });

  it('never have two backups at once each, and one request is one run', async () => {
    const first = await bed.trigger('slow', BackupType.AUTO, 'request-1');
    const second = await bed.trigger('slow').catch((error: unknown) => error);
    expect(second).toMatchObject({ code: status.ABORTED, details: expect.stringContaining(first.id) });
    expect(reasonOf(second)).toBe('HOST_BUSY');
    expect((await bed.trigger('slow', BackupType.AUTO, 'request-1')).id).toBe(first.id);
    expect((await bed.busy(['cancel', first.id])).code).toBe(0);
    await bed.waitForRun(first.id);
    const again = await bed.trigger('slow', BackupType.AUTO, 'request-1');
    expect(again).toMatchObject({ id: first.id, state: RunState.CANCELLED });
  });

  it('have one run for one request, also when it comes many times at once', async () => {
    const runs = await Promise.all(
      Array.from({ length: 10 }, () => bed.trigger('host-00', BackupType.AUTO, 'request-2')),
    );
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    await bed.waitForRun(runs[0]?.id ?? '');
  });

  it('fault 13: of two calls at once, one is refused', async () => {
    const calls = await Promise.allSettled([bed.trigger('slow'), bed.trigger('slow')]);
    expect(calls.map((call) => call.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    for (const call of calls) {
      if (call.status === 'rejected') expect(reasonOf(call.reason)).toBe('HOST_BUSY');
      else {
        await bed.busy(['cancel', call.value.id]);
        await bed.waitForRun(call.value.id);
      }
    }
  });

  it('keep their requests over a restart of the daemon', async () => {
    const before = await bed.trigger('host-01', BackupType.AUTO, 'request-3');
    await bed.waitForRun(before.id);
    expect(await bed.stopDaemon()).toBe(0);
    await bed.startDaemon();
    const after = await bed.trigger('host-01', BackupType.AUTO, 'request-3');
    expect(after).toMatchObject({ id: before.id, state: RunState.SUCCEEDED });
  });
});
