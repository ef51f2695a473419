import { afterEach, describe, expect, it } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import type { BackupResult } from '../../src/core/executor-port.js';
import type { Presence } from '../../src/core/presence.js';
import type { RunRecord } from '../../src/core/run.js';
import { ControlBed } from '../helpers/control-bed.js';
import { until } from '../helpers/test-bed.js';

const beds: ControlBed[] = [];
afterEach(async () => {
  for (const bed of beds.splice(0)) await bed.close();
});

async function open(...args: Parameters<typeof ControlBed.open>): Promise<ControlBed> {
  const bed = await ControlBed.open(...args);
  beds.push(bed);
  return bed;
}

function trigger(bed: ControlBed, host = 'web1'): Promise<RunRecord> {
  return bed.lifecycle.trigger({ host, type: 'auto', requestId: null });
}

describe('a backup disk that hangs', () => {
  it('holds up no other host, and its run waits', async () => {
    const answers: ((name: string) => void)[] = [];
    const diskOf = ({ name }: { name: string }): Promise<string> =>
      name === 'stuck' ? new Promise((resolve) => answers.push(resolve)) : Promise.resolve(name);
    const bed = await open({ hosts: ['stuck', 'web1'], parts: { diskOf } });
    const stuck = await trigger(bed, 'stuck');
    const { id } = await trigger(bed, 'web1');
    expect((await bed.parts.executor.next()).task.runId).toBe(id);
    expect((await bed.lifecycle.get(stuck.id)).state).toBe('QUEUED');
    await expect(trigger(bed, 'stuck')).rejects.toMatchObject({ reason: 'HOST_BUSY' });
    answers[0]?.('a disk');
    expect((await bed.parts.executor.next()).task.runId).toBe(stuck.id);
  });

  it('begins no run that was cancelled meanwhile', async () => {
    const answers: ((name: string) => void)[] = [];
    const diskOf = (): Promise<string> => new Promise((resolve) => answers.push(resolve));
    const bed = await open({ parts: { diskOf } });
    const { id } = await trigger(bed);
    await bed.lifecycle.cancel(id);
    answers[0]?.('a disk');
    await new Promise((resolve) => setImmediate(resolve));
    expect(await bed.lifecycle.get(id)).toMatchObject({ state: 'CANCELLED' });
    expect(bed.lifecycle.counts()).toEqual({ queued: 0, running: 0 });
    expect(bed.parts.executor.backups).toEqual([]);
  });
});

describe('a backup that lost its host', () => {
  const lost = {
    error: new BusyError('CONNECTION_LOST', { host: 'web1', detail: 'ECONNRESET' }).toFailure(),
  };

  async function lose(isOnline: boolean, changes: Partial<BackupResult> = lost): Promise<RunRecord> {
    const lookFor = async (): Promise<Presence> => ({ isOnline, reason: 'nothing answers at 192.0.2.10' });
    const bed = await open({ parts: { lookFor } });
    const { id } = await trigger(bed);
    (await bed.parts.executor.next()).finish(changes);
    const run = await bed.ended(id);
    expect(bed.lifecycle.failuresInRow('web1')).toBe(isOnline ? 1 : 0);
    return run;
  }

  it('has failed when the host is there', async () => {
    expect(await lose(true)).toMatchObject({ state: 'FAILED', ...lost });
  });

  it('says that the host went away when it is gone, and how it began', async () => {
    const { error } = await lose(false);
    expect(error).toMatchObject({
      reason: 'HOST_WENT_AWAY',
      message:
        'Host "web1" went away in the middle of its backup: nothing answers at 192.0.2.10. ' +
        'The connection to host "web1" was lost: ECONNRESET.',
    });
    const stalled = new BusyError('HOST_STALLED', { host: 'web1', seconds: '600' }).toFailure();
    expect((await lose(false, { error: stalled })).error?.reason).toBe('HOST_WENT_AWAY');
  });

  it('does not wait for the answer when it is cancelled', async () => {
    let isAsked = false;
    const lookFor = (): Promise<Presence> => {
      isAsked = true;
      return new Promise(() => {});
    };
    const bed = await open({ parts: { lookFor } });
    const { id } = await trigger(bed);
    (await bed.parts.executor.next()).finish(lost);
    await until(() => isAsked, 'the host to be looked for');
    await bed.lifecycle.cancel(id);
    expect(await bed.ended(id)).toMatchObject({ state: 'FAILED', ...lost });
  });
});
