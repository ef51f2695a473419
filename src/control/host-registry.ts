/**
 * Who has the word on which hosts there are: the configuration file, or, where it names none, the database. The one
 * place that changes the hosts in the catalog; a change by a call and a reload of the file never overlap.
 */
import { Mutex } from 'async-mutex';
import { monotonicFactory } from 'ulid';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { Pins } from '../core/enrollment-ports.js';
import type { Clock, HostStore } from '../core/ports.js';
import { problemList } from '../core/problem-list.js';
import {
  changeSettings,
  type HostSettings,
  type SettingInEffect,
  type SettingsChange,
  type StoredHost,
} from '../core/stored-host.js';
import type { Catalog } from './catalog.js';
import type { HostHold } from './host-claims.js';
import type { RunLifecycle } from './run-lifecycle.js';
import { newMark } from './trash.js';

/** What the configuration file says of hosts. */
export interface HostSource {
  /** The file, for messages. */
  readonly file: string;
  /** The hosts that it names; with any here, those of the database are not in effect. */
  readonly hosts: readonly Host[];
  /** Host keys of hosts that it names without their key. */
  readonly pins: Pins;
  /** Completes a host of the database with the file's defaults, or answers all that is wrong with it. */
  readonly check: (
    name: string,
    settings: HostSettings,
  ) => { readonly host: Host } | { readonly problems: readonly string[] };
  /** All settings as they hold for a host; `own`: those that it has itself, null for what the file says. */
  readonly inEffect: (name: string, own: HostSettings | null) => readonly SettingInEffect[];
}

/** A configuration that was read and is good by itself. */
export interface NextConfig {
  readonly source: HostSource;
  /** Takes over all besides the hosts, at once; must not throw. */
  readonly apply: () => void;
}

export interface RegistryParts {
  readonly clock: Clock;
  readonly store: HostStore;
  readonly catalog: Pick<Catalog, 'hosts' | 'host' | 'replaceHosts'>;
  readonly lifecycle: Pick<RunLifecycle, 'whileFree'>;
  readonly hold: Pick<HostHold, 'refuseElsewhere'>;
  /** Called after each change; must not throw. */
  readonly onChange: () => void;
}

export interface ChangeOptions {
  /** Refuses the change when the host no longer has it; empty: does not matter. */
  readonly etag: string;
  /** Only checks. */
  readonly isTrial: boolean;
}

/** A host after a change; the etag is empty when it was only a trial. */
export interface ChangedHost {
  readonly host: Host;
  readonly etag: string;
}

export interface RemovedHost {
  readonly host: Host | null;
  /** What `restore` brings it back with. */
  readonly trashId: string;
}

/** Where a host stands; what is kept of one in the database. */
export type HostOrigin =
  | { readonly kind: 'file' }
  | { readonly kind: 'database'; readonly settings: HostSettings; readonly etag: string };

/** The hosts that are in effect with a configuration, and what keeps others of the database from being so. */
export async function checkHosts(
  source: HostSource,
  store: HostStore,
): Promise<{ readonly hosts: readonly Host[]; readonly problems: readonly string[] }> {
  if (source.hosts.length > 0) return { hosts: source.hosts.map(withPin(source.pins)), problems: [] };
  const hosts: Host[] = [];
  const problems: string[] = [];
  for (const { name, settings } of await store.list()) {
    const found = source.check(name, settings);
    if ('host' in found) hosts.push(found.host);
    else problems.push(...found.problems.map((problem) => `host "${name}" in the database: ${problem}`));
  }
  return { hosts, problems };
}

/** What the file says itself wins. */
function withPin(pins: Pins): (host: Host) => Host {
  return (host) => (host.hostKey === '' ? { ...host, hostKey: pins.of(host.name) } : host);
}

export class HostRegistry {
  private readonly turn = new Mutex();
  private readonly nextEtag = monotonicFactory();

  constructor(
    private readonly parts: RegistryParts,
    private source: HostSource,
  ) {}

  /** Where all hosts stand. */
  get kind(): HostOrigin['kind'] {
    return this.source.hosts.length > 0 ? 'file' : 'database';
  }

  /** Throws HOST_NOT_FOUND. */
  async originOf(name: string): Promise<HostOrigin> {
    this.parts.catalog.host(name);
    if (this.kind === 'file') return { kind: 'file' };
    const { settings, etag } = await this.stored(name, '');
    return { kind: 'database', settings, etag };
  }

  /** All settings as they hold for a host with that origin. */
  settingsInEffect(name: string, origin: HostOrigin): readonly SettingInEffect[] {
    return this.source.inEffect(name, origin.kind === 'file' ? null : origin.settings);
  }

  /** What holds for a host without settings of its own, and the file that says so. */
  get defaults(): { readonly file: string; readonly settings: readonly SettingInEffect[] } {
    return { file: this.source.file, settings: this.source.inEffect('NAME', {}) };
  }

  /** Adds a host. Throws HOSTS_IN_FILE, HOST_EXISTS or HOST_INVALID. */
  create(name: string, settings: HostSettings, isTrial: boolean): Promise<ChangedHost> {
    return this.change(async () => {
      if (await this.parts.store.get(name)) throw new BusyError('HOST_EXISTS', { host: name });
      const host = this.checked(name, settings);
      if (isTrial) return { host, etag: '' };
      const now = this.parts.clock.now();
      const etag = this.nextEtag(now.getTime());
      await this.parts.store.add({ name, settings, etag, createdAt: now, updatedAt: now });
      this.putInPlace(name, host);
      return { host, etag };
    });
  }

  /** Changes settings of a host. Throws HOSTS_IN_FILE, HOST_NOT_FOUND, HOST_CHANGED or HOST_INVALID. */
  update(name: string, change: SettingsChange, options: ChangeOptions): Promise<ChangedHost> {
    return this.change(async () => {
      const before = await this.stored(name, options.etag);
      const settings = changeSettings(before.settings, change);
      const host = this.checked(name, settings);
      if (options.isTrial) return { host, etag: '' };
      const now = this.parts.clock.now();
      const etag = this.nextEtag(now.getTime());
      const isReplaced = await this.parts.store.replace(
        { ...before, settings, etag, updatedAt: now },
        before.etag,
      );
      if (!isReplaced) throw new BusyError('HOST_CHANGED', { host: name });
      this.putInPlace(name, host);
      return { host, etag };
    });
  }

  /**
   * Moves a host to the trash and answers it, as null when it was left out at the start; its snapshots stay. Throws
   * HOSTS_IN_FILE, HOST_NOT_FOUND, HOST_CHANGED, HOST_BUSY while it has a run that has not ended, or HOST_ELSEWHERE
   * while another daemon has it, of whose runs nothing is known here for sure.
   */
  remove(name: string, { etag, by }: { readonly etag: string; readonly by: string }): Promise<RemovedHost> {
    return this.change(async () => {
      const before = await this.stored(name, etag);
      const host = this.parts.catalog.hosts().find((other) => other.name === name) ?? null;
      this.parts.hold.refuseElsewhere(name);
      const mark = newMark(this.parts.clock.now(), by);
      await this.parts.lifecycle.whileFree(name, async () => {
        if (!(await this.parts.store.trash(name, before.etag, mark)))
          throw new BusyError('HOST_CHANGED', { host: name });
        this.putInPlace(name, null);
      });
      return { host, trashId: mark.id };
    });
  }

  /** Brings a host back from the trash. Throws HOSTS_IN_FILE, TRASH_ENTRY_NOT_FOUND, HOST_EXISTS or HOST_INVALID. */
  restore(trashId: string): Promise<void> {
    return this.change(async () => {
      const { store } = this.parts;
      const found = (await store.trashed()).find(({ id }) => id === trashId);
      if (!found) throw new BusyError('TRASH_ENTRY_NOT_FOUND', { id: trashId });
      const { name, settings } = found.host;
      if (await store.get(name)) throw new BusyError('HOST_EXISTS', { host: name });
      const host = this.checked(name, settings);
      if (!(await store.untrash(trashId))) throw new BusyError('TRASH_ENTRY_NOT_FOUND', { id: trashId });
      this.putInPlace(name, host);
    });
  }

  /**
   * Pins a host key: in the settings of a host of the database, beside the file for one of the file. `before` is what
   * was pinned when the caller decided. Throws HOST_NOT_FOUND, HOST_CHANGED, or HOST_KEY_IN_FILE.
   */
  pin(
    name: string,
    { hostKey, before }: { readonly hostKey: string; readonly before: string },
  ): Promise<void> {
    return this.turn.runExclusive(async () => {
      const host = this.parts.catalog.host(name);
      if (host.hostKey !== before) throw new BusyError('HOST_CHANGED', { host: name });
      if (this.kind === 'database') return this.pinStored(name, hostKey);
      const inFile = this.source.hosts.find((other) => other.name === name)?.hostKey ?? '';
      if (inFile !== '')
        throw new BusyError('HOST_KEY_IN_FILE', { host: name, file: this.source.file, pinned: inFile });
      await this.source.pins.save(name, hostKey);
      this.putInPlace(name, { ...host, hostKey });
    });
  }

  /**
   * Reads a configuration and takes it over as a whole. Throws what `read` throws, or CONFIG_INVALID; nothing has
   * changed then.
   */
  reload(read: () => Promise<NextConfig>): Promise<void> {
    return this.turn.runExclusive(async () => {
      const { source, apply } = await read();
      const { hosts, problems } = await checkHosts(source, this.parts.store);
      // As a whole or not at all: for example after a default was taken out that a host relied on.
      if (problems.length > 0)
        throw new BusyError('CONFIG_INVALID', { file: source.file, problems: problemList(problems) });
      // Without an await in between: nobody sees a half of it.
      this.source = source;
      this.parts.catalog.replaceHosts(hosts);
      apply();
      this.parts.onChange();
    });
  }

  private async pinStored(name: string, hostKey: string): Promise<void> {
    const before = await this.stored(name, '');
    const settings = { ...before.settings, host_key: hostKey };
    const host = this.checked(name, settings);
    const now = this.parts.clock.now();
    const after = { ...before, settings, etag: this.nextEtag(now.getTime()), updatedAt: now };
    if (!(await this.parts.store.replace(after, before.etag)))
      throw new BusyError('HOST_CHANGED', { host: name });
    this.putInPlace(name, host);
  }

  private change<T>(work: () => Promise<T>): Promise<T> {
    return this.turn.runExclusive(() => {
      if (this.kind === 'file') throw new BusyError('HOSTS_IN_FILE', { file: this.source.file });
      return work();
    });
  }

  private async stored(name: string, etag: string): Promise<StoredHost> {
    const found = await this.parts.store.get(name);
    if (!found) throw new BusyError('HOST_NOT_FOUND', { host: name });
    if (etag !== '' && etag !== found.etag) throw new BusyError('HOST_CHANGED', { host: name });
    return found;
  }

  private checked(name: string, settings: HostSettings): Host {
    const found = this.source.check(name, settings);
    if ('host' in found) return found.host;
    throw new BusyError('HOST_INVALID', { host: name, problems: problemList(found.problems) });
  }

  private putInPlace(name: string, host: Host | null): void {
    const others = this.parts.catalog.hosts().filter((other) => other.name !== name);
    this.parts.catalog.replaceHosts(host ? [...others, host] : others);
    this.parts.onChange();
  }
}
