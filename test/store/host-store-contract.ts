/** What every HostStore must do, whatever database is behind it. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { HostStore } from '../../src/core/ports.js';
import type { StoredHost } from '../../src/core/stored-host.js';
import type { TrashMark } from '../../src/core/trash.js';

export interface OpenHostStore {
  readonly hosts: HostStore;
  close(): Promise<void>;
}

export function hostStoreContract(open: () => Promise<OpenHostStore>): void {
  let opened: OpenHostStore;
  let hosts: HostStore;
  beforeEach(async () => {
    opened = await open();
    hosts = opened.hosts;
  });
  afterEach(() => opened.close());

  it('answers what was added, every field', async () => {
    await hosts.add(stored());
    expect(await hosts.get('web1')).toStrictEqual(stored());
    expect(await hosts.list()).toStrictEqual([stored()]);
    expect(await hosts.get('web2')).toBeNull();
  });

  it('keeps settings of every kind as they are', async () => {
    const settings = {
      srcdirs: ['/etc', '/böse "Namen" \\ 😀\n'],
      excludes: [],
      max_age_full: 0.1,
      mail_partial: false,
      keep: { daily: 7 },
      pre_command: 'a'.repeat(20_000),
    };
    await hosts.add(stored({ settings }));
    expect((await hosts.get('web1'))?.settings).toStrictEqual(settings);
  });

  it('lists by name', async () => {
    for (const name of ['web2', 'db1', 'web1']) await hosts.add(stored({ name }));
    expect((await hosts.list()).map(({ name }) => name)).toEqual(['db1', 'web1', 'web2']);
  });

  it('does not add a name twice', async () => {
    await hosts.add(stored());
    await expect(hosts.add(stored({ settings: {} }))).rejects.toThrow();
    expect(await hosts.list()).toStrictEqual([stored()]);
  });

  it('replaces only what still has the etag', async () => {
    await hosts.add(stored());
    const next = stored({ settings: {}, etag: 'B', updatedAt: new Date(1_795_000_060_000) });
    expect(await hosts.replace(next, 'Z')).toBe(false);
    expect(await hosts.replace({ ...next, name: 'web2' }, 'A')).toBe(false);
    expect(await hosts.list()).toStrictEqual([stored()]);
    expect(await hosts.replace(next, 'A')).toBe(true);
    expect(await hosts.list()).toStrictEqual([next]);
    expect(await hosts.replace(next, 'A')).toBe(false);
  });

  it('moves to the trash only what still has the etag, and back again as it was', async () => {
    await hosts.add(stored());
    expect(await hosts.trash('web1', 'Z', mark('T1'))).toBe(false);
    expect(await hosts.trash('web2', 'A', mark('T1'))).toBe(false);
    expect(await hosts.trashed()).toEqual([]);
    expect(await hosts.trash('web1', 'A', mark('T1'))).toBe(true);
    expect(await hosts.trash('web1', 'A', mark('T2'))).toBe(false);
    expect(await hosts.list()).toEqual([]);
    expect(await hosts.trashed()).toStrictEqual([{ ...mark('T1'), host: stored() }]);
    expect(await hosts.untrash('T1')).toBe(true);
    expect(await hosts.untrash('T1')).toBe(false);
    expect(await hosts.list()).toStrictEqual([stored()]);
    expect(await hosts.trashed()).toEqual([]);
  });

  it('keeps several of one name in the trash, and brings none back in the place of another', async () => {
    for (const id of ['T1', 'T2']) {
      await hosts.add(stored({ settings: { id } }));
      expect(await hosts.trash('web1', 'A', mark(id))).toBe(true);
    }
    await hosts.add(stored());
    await expect(hosts.untrash('T1')).rejects.toThrow();
    expect(await hosts.list()).toStrictEqual([stored()]);
    expect((await hosts.trashed()).map(({ id, host }) => [id, host.settings])).toEqual([
      ['T1', { id: 'T1' }],
      ['T2', { id: 'T2' }],
    ]);
    expect(await hosts.removeTrashed('T1')).toBe(true);
    expect(await hosts.removeTrashed('T1')).toBe(false);
    expect((await hosts.trashed()).map(({ id }) => id)).toEqual(['T2']);
  });
}

function mark(id: string): TrashMark {
  return { id, putAt: new Date(1_795_000_000_125), putBy: 'ann' };
}

function stored(changes: Partial<StoredHost> = {}): StoredHost {
  return {
    name: 'web1',
    settings: { backupdir: '/srv/backup', srcdirs: ['/etc'] },
    etag: 'A',
    createdAt: new Date(1_795_000_000_123),
    updatedAt: new Date(1_795_000_000_124),
    ...changes,
  };
}
