/** The hosts and their committed snapshots, in memory: every list that a client asks for is answered from here. */
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { SnapshotStore } from '../core/ports.js';
import type { SnapshotRecord } from '../core/snapshot.js';

const none: readonly SnapshotRecord[] = [];

export class Catalog {
  private byName: ReadonlyMap<string, Host> = new Map();
  private sorted: readonly Host[] = [];
  /** Newest first, by host. */
  private readonly snapshotsOf = new Map<string, readonly SnapshotRecord[]>();

  constructor(
    hosts: readonly Host[],
    private readonly store: SnapshotStore,
  ) {
    this.replaceHosts(hosts);
  }

  /** Takes other hosts; runs that are under way keep the settings they started with. */
  replaceHosts(hosts: readonly Host[]): void {
    this.sorted = [...hosts].sort((a, b) => (a.name < b.name ? -1 : 1));
    this.byName = new Map(hosts.map((host) => [host.name, host]));
  }

  /** Reads the snapshots from the store. */
  async load(): Promise<void> {
    this.snapshotsOf.clear();
    for (const snapshot of await this.store.list()) this.remember(snapshot);
  }

  /** Reads the snapshots of one host anew, for example when another daemon made some. */
  async reload(host: string): Promise<void> {
    const snapshots = await this.store.list(host);
    this.snapshotsOf.set(host, [...snapshots].sort(newestFirst));
  }

  /** Sorted by name. */
  hosts(): readonly Host[] {
    return this.sorted;
  }

  /** Throws HOST_NOT_FOUND. */
  host(name: string): Host {
    const host = this.byName.get(name);
    if (!host) throw new BusyError('HOST_NOT_FOUND', { host: name });
    return host;
  }

  /** Newest first, the same array until one comes or goes; of all hosts by name first, then by host. Throws HOST_NOT_FOUND. */
  snapshots(host?: string): readonly SnapshotRecord[] {
    if (host !== undefined) return this.snapshotsOf.get(this.host(host).name) ?? none;
    return this.sorted.flatMap(({ name }) => this.snapshotsOf.get(name) ?? []).sort(newestFirst);
  }

  /** Throws HOST_NOT_FOUND or SNAPSHOT_NOT_FOUND. */
  snapshot(host: string, name: string): SnapshotRecord {
    const found = this.snapshots(host).find((snapshot) => snapshot.name === name);
    if (!found) throw new BusyError('SNAPSHOT_NOT_FOUND', { host, snapshot: name });
    return found;
  }

  /** Records a snapshot that was committed on disk. */
  async record(snapshot: SnapshotRecord): Promise<void> {
    await this.store.put(snapshot);
    this.remember(snapshot);
  }

  /** Takes a snapshot out of the records; its directory is gone by then. */
  async forget({ host, name }: SnapshotRecord): Promise<void> {
    await this.store.remove(host, name);
    const others = (this.snapshotsOf.get(host) ?? []).filter((snapshot) => snapshot.name !== name);
    this.snapshotsOf.set(host, others);
  }

  /** Settles when the database knows all of what was recorded and forgotten. Throws DATABASE_UNAVAILABLE. */
  settled(): Promise<void> {
    return this.store.settled();
  }

  private remember(snapshot: SnapshotRecord): void {
    const others = (this.snapshotsOf.get(snapshot.host) ?? []).filter(({ name }) => name !== snapshot.name);
    this.snapshotsOf.set(snapshot.host, [...others, snapshot].sort(newestFirst));
  }
}

function newestFirst(a: SnapshotRecord, b: SnapshotRecord): number {
  if (a.name !== b.name) return a.name < b.name ? 1 : -1;
  return a.host < b.host ? -1 : 1;
}
