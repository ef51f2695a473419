import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { soleDaemon, type HostHold } from '../../src/control/host-claims.js';
import { checkHosts, HostRegistry, type HostSource } from '../../src/control/host-registry.js';
import { BusyError } from '../../src/core/errors.js';
import type { HostSettings } from '../../src/core/stored-host.js';
import { ControlBed } from '../helpers/control-bed.js';
import { MemoryHostStore } from '../helpers/memory-host-store.js';
import { sampleHost } from '../helpers/sample-host.js';

const whatever = { etag: '', isTrial: false };

let bed: ControlBed;
let store: MemoryHostStore;
let registry: HostRegistry;
let changes: number;
beforeEach(async () => {
  bed = await ControlBed.open({ hosts: [] });
  store = new MemoryHostStore();
  changes = 0;
  registry = registryOf(sourceOf());
});
afterEach(() => bed.close());

/** Those that are kept beside the file. */
const pins = new Map<string, string>();

/** Takes hosts whose `max_incr` is not above `mostIncr`. */
function sourceOf({ hosts = [] as string[], mostIncr = 10 } = {}): HostSource {
  return {
    file: '/etc/busy.yaml',
    inEffect: () => [],
    hosts: hosts.map((name) => sampleHost({ name, hostKey: name === 'pinned-in-file' ? 'SHA256:file' : '' })),
    pins: { of: (name) => pins.get(name) ?? '', save: async (name, key) => void pins.set(name, key) },
    check: (name, settings) => {
      const maxIncr = Number(settings.max_incr ?? 1);
      if (maxIncr > mostIncr) return { problems: [`max_incr: is ${maxIncr}`] };
      return { host: sampleHost({ name, maxIncr, hostKey: (settings.host_key ?? '') as string }) };
    },
  };
}

function registryOf(source: HostSource, hold: Pick<HostHold, 'refuseElsewhere'> = soleDaemon): HostRegistry {
  const { clock, catalog } = bed.parts;
  const { lifecycle } = bed;
  return new HostRegistry(
    { clock, store, catalog, lifecycle, hold, onChange: () => void (changes += 1) },
    source,
  );
}

function refuseElsewhere(host: string): never {
  throw new BusyError('HOST_ELSEWHERE', { host, machine: 'backup2', pid: '1' });
}

function maxIncrs(): Record<string, number> {
  return Object.fromEntries(bed.parts.catalog.hosts().map(({ name, maxIncr }) => [name, maxIncr]));
}

function create(name: string, settings: HostSettings = {}): ReturnType<HostRegistry['create']> {
  return registry.create(name, settings, false);
}

async function trigger(host: string): Promise<string> {
  const { id } = await bed.lifecycle.trigger({ host, type: 'auto', requestId: null });
  return id;
}

describe('a host of the database', () => {
  it('is in effect as soon as it is created, and kept', async () => {
    const { host, etag } = await create('web1', { max_incr: 5 });
    expect(host.maxIncr).toBe(5);
    expect(maxIncrs()).toEqual({ web1: 5 });
    expect(await store.list()).toMatchObject([{ name: 'web1', settings: { max_incr: 5 }, etag }]);
    expect(await registry.originOf('web1')).toEqual({ kind: 'database', settings: { max_incr: 5 }, etag });
    expect(changes).toBe(1);
    await expect(create('web1')).rejects.toMatchObject({ reason: 'HOST_EXISTS' });
    expect((await checkHosts(sourceOf(), store)).hosts).toEqual([host]);
  });

  it('is refused with its problems, and nothing changes', async () => {
    await expect(create('web1', { max_incr: 11 })).rejects.toMatchObject({
      reason: 'HOST_INVALID',
      message: expect.stringContaining('max_incr: is 11'),
    });
    await create('web2');
    const change = { settings: { max_incr: 11 }, mask: ['max_incr'] };
    await expect(registry.update('web2', change, whatever)).rejects.toMatchObject({ reason: 'HOST_INVALID' });
    expect(maxIncrs()).toEqual({ web2: 1 });
    expect(changes).toBe(1);
  });

  it('changes, and its etag with it', async () => {
    const { etag } = await create('web1', { max_incr: 5, port: 22 });
    const change = { settings: { max_incr: 7 }, mask: ['max_incr', 'port'] };
    const changed = await registry.update('web1', change, { etag, isTrial: false });
    expect(changed.etag).not.toBe(etag);
    expect(maxIncrs()).toEqual({ web1: 7 });
    expect(await store.list()).toMatchObject([{ settings: { max_incr: 7 }, etag: changed.etag }]);
    expect((await store.get('web1'))?.settings).not.toHaveProperty('port');
    const stale = registry.update('web1', change, { etag, isTrial: false });
    await expect(stale).rejects.toMatchObject({ reason: 'HOST_CHANGED' });
    await expect(registry.remove('web1', { etag, by: 'ann' })).rejects.toMatchObject({
      reason: 'HOST_CHANGED',
    });
    await expect(registry.update('nobody', change, whatever)).rejects.toMatchObject({
      reason: 'HOST_NOT_FOUND',
    });
  });

  it('is only checked by a trial', async () => {
    expect(await registry.create('web1', { max_incr: 5 }, true)).toMatchObject({
      host: { maxIncr: 5 },
      etag: '',
    });
    await create('web2');
    const change = { settings: { max_incr: 7 }, mask: ['max_incr'] };
    const trial = await registry.update('web2', change, { etag: '', isTrial: true });
    expect(trial).toMatchObject({ host: { maxIncr: 7 }, etag: '' });
    expect(maxIncrs()).toEqual({ web2: 1 });
  });

  it('is not removed while it has a run, and frees its name after that', async () => {
    await create('web1');
    const id = await trigger('web1');
    await expect(registry.remove('web1', { etag: '', by: 'ann' })).rejects.toMatchObject({
      reason: 'HOST_BUSY',
    });
    (await bed.parts.executor.next()).finish();
    await bed.ended(id);
    expect(await registry.remove('web1', { etag: '', by: 'ann' })).toMatchObject({ host: { name: 'web1' } });
    expect(maxIncrs()).toEqual({});
    await expect(registry.originOf('web1')).rejects.toMatchObject({ reason: 'HOST_NOT_FOUND' });
    await expect(registry.remove('web1', { etag: '', by: 'ann' })).rejects.toMatchObject({
      reason: 'HOST_NOT_FOUND',
    });
    await create('web1');
  });

  it('comes back from the trash, unless its name is taken or it does not fit any more', async () => {
    await create('web1', { max_incr: 5 });
    const { trashId } = await registry.remove('web1', { etag: '', by: 'ann' });
    expect(await store.trashed()).toMatchObject([{ id: trashId, putBy: 'ann', putAt: bed.clock.now() }]);
    await create('web1');
    await expect(registry.restore(trashId)).rejects.toMatchObject({ reason: 'HOST_EXISTS' });
    await registry.remove('web1', { etag: '', by: 'ann' });
    const strict = registryOf(sourceOf({ mostIncr: 4 }));
    await expect(strict.restore(trashId)).rejects.toMatchObject({ reason: 'HOST_INVALID' });
    await registry.restore(trashId);
    expect(maxIncrs()).toEqual({ web1: 5 });
    await expect(registry.restore(trashId)).rejects.toMatchObject({ reason: 'TRASH_ENTRY_NOT_FOUND' });
  });

  it('is removed only by the daemon that has it', async () => {
    await create('web1');
    const other = registryOf(sourceOf(), { refuseElsewhere });
    await expect(other.remove('web1', { etag: '', by: 'ann' })).rejects.toMatchObject({
      reason: 'HOST_ELSEWHERE',
    });
    expect(await store.get('web1')).toMatchObject({ name: 'web1' });
    expect(await registry.remove('web1', { etag: '', by: 'ann' })).toMatchObject({ host: { name: 'web1' } });
  });

  it('gets no run while it is removed', async () => {
    await create('web1');
    let late: Promise<string> | null = null;
    store.meanwhile = async () => {
      late = trigger('web1');
      late.catch(() => {});
    };
    await registry.remove('web1', { etag: '', by: 'ann' });
    await expect(late).rejects.toMatchObject({ reason: 'HOST_NOT_FOUND' });
  });

  it('stays as it is when the database fails', async () => {
    await create('web1', { max_incr: 5 });
    store.failure = new Error('the disk is full');
    const change = { settings: { max_incr: 7 }, mask: ['max_incr'] };
    await expect(create('web2')).rejects.toThrow('full');
    await expect(registry.update('web1', change, whatever)).rejects.toThrow('full');
    await expect(registry.remove('web1', { etag: '', by: 'ann' })).rejects.toThrow('full');
    expect(maxIncrs()).toEqual({ web1: 5 });
    store.failure = null;
    await create('web2');
  });

  it('is changed by one call at a time', async () => {
    await create('web1', {});
    const settings = ['a', 'b', 'c', 'd'];
    await Promise.all(
      settings.map((name) => registry.update('web1', { settings: { [name]: 1 }, mask: [name] }, whatever)),
    );
    expect(Object.keys((await store.get('web1'))?.settings ?? {}).sort()).toEqual(settings);
  });
});

describe('hosts in the file', () => {
  it('cannot be changed by calls, and those of the database are not in effect', async () => {
    await create('stored');
    const source = sourceOf({ hosts: ['web1'] });
    expect((await checkHosts(source, store)).hosts.map(({ name }) => name)).toEqual(['web1']);
    await registry.reload(async () => ({ source, apply: () => {} }));
    expect(Object.keys(maxIncrs())).toEqual(['web1']);
    expect(await registry.originOf('web1')).toEqual({ kind: 'file' });
    const change = { settings: {}, mask: ['port'] };
    const refused = [
      create('web2'),
      registry.update('web1', change, whatever),
      registry.remove('web1', { etag: '', by: 'ann' }),
    ];
    for (const call of await Promise.allSettled(refused)) {
      expect(call).toMatchObject({ reason: { reason: 'HOSTS_IN_FILE', facts: { file: '/etc/busy.yaml' } } });
    }
    await registry.reload(async () => ({ source: sourceOf(), apply: () => {} }));
    expect(Object.keys(maxIncrs())).toEqual(['stored']);
  });
});

describe('a reload', () => {
  it('that cannot be read changes nothing', async () => {
    await create('web1', { max_incr: 5 });
    await expect(registry.reload(() => Promise.reject(new Error('bad file')))).rejects.toThrow('bad file');
    expect(maxIncrs()).toEqual({ web1: 5 });
    await create('web2', { max_incr: 10 });
  });

  it('that does not fit a host of the database is refused as a whole, naming the host', async () => {
    await create('web1', { max_incr: 5 });
    let isApplied = false;
    const apply = (): void => void (isApplied = true);
    const reload = registry.reload(async () => ({ source: sourceOf({ mostIncr: 4 }), apply }));
    await expect(reload).rejects.toMatchObject({
      reason: 'CONFIG_INVALID',
      message: expect.stringContaining('host "web1" in the database: max_incr: is 5'),
    });
    expect(isApplied).toBe(false);
    expect(maxIncrs()).toEqual({ web1: 5 });
    await create('web2', { max_incr: 10 });
    const { hosts, problems } = await checkHosts(sourceOf({ mostIncr: 4 }), store);
    expect(hosts).toEqual([]);
    expect(problems).toHaveLength(2);
  });

  it('takes its turn behind a change, and holds for the next one', async () => {
    const applied: string[] = [];
    const source = sourceOf({ mostIncr: 4 });
    const calls = [
      create('web1', { max_incr: 3 }),
      registry.reload(async () => ({ source, apply: () => void applied.push(...Object.keys(maxIncrs())) })),
      create('web2', { max_incr: 5 }),
    ];
    const ends = await Promise.allSettled(calls);
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(applied).toEqual(['web1']);
  });

  it('leaves running backups the settings they started with', async () => {
    await create('web1', { max_incr: 5 });
    await trigger('web1');
    const { task } = await bed.parts.executor.next();
    const source = sourceOf({ hosts: ['web2'] });
    await registry.reload(async () => ({ source, apply: () => {} }));
    expect(task.host).toMatchObject({ name: 'web1', maxIncr: 5 });
  });
});

describe('a host key', () => {
  const key = { hostKey: 'ssh-ed25519 NEW', before: '' };

  it('becomes a setting of a host of the database', async () => {
    const { etag } = await create('web1', { max_incr: 5 });
    await registry.pin('web1', key);
    expect(bed.parts.catalog.host('web1')).toMatchObject({ hostKey: 'ssh-ed25519 NEW', maxIncr: 5 });
    expect(await store.get('web1')).toMatchObject({ settings: { max_incr: 5, host_key: 'ssh-ed25519 NEW' } });
    expect((await store.get('web1'))?.etag).not.toBe(etag);
  });

  it('is kept beside the file for a host of the file, and is there after a reload', async () => {
    const source = sourceOf({ hosts: ['web1', 'pinned-in-file'] });
    const read = async () => ({ source, apply: () => {} });
    registry = registryOf(source);
    await registry.reload(read);
    await registry.pin('web1', key);
    expect(bed.parts.catalog.host('web1').hostKey).toBe('ssh-ed25519 NEW');
    await registry.reload(read);
    expect(bed.parts.catalog.host('web1').hostKey).toBe('ssh-ed25519 NEW');
    // What the file says itself wins, and is not replaced.
    const change = registry.pin('pinned-in-file', { hostKey: 'ssh-ed25519 NEW', before: 'SHA256:file' });
    await expect(change).rejects.toMatchObject({ reason: 'HOST_KEY_IN_FILE' });
    expect(bed.parts.catalog.host('pinned-in-file').hostKey).toBe('SHA256:file');
  });

  it('is not replaced when another was pinned meanwhile', async () => {
    await create('web1', { host_key: 'SHA256:other' });
    await expect(registry.pin('web1', key)).rejects.toMatchObject({ reason: 'HOST_CHANGED' });
    expect(bed.parts.catalog.host('web1').hostKey).toBe('SHA256:other');
  });
});
