import type { HostStore } from '../../src/core/ports.js';
import type { StoredHost, TrashedHost } from '../../src/core/stored-host.js';
import type { TrashMark } from '../../src/core/trash.js';

/** A port of the test, since a real one cannot be made to be slow or to fail. */
export class MemoryHostStore implements HostStore {
  readonly hosts = new Map<string, StoredHost>();
  readonly inTrash = new Map<string, TrashedHost>();
  failure: Error | null = null;
  /** Runs in the middle of every write. */
  meanwhile: () => Promise<unknown> = () => Promise.resolve();

  list = async (): Promise<StoredHost[]> => [...this.hosts.values()];
  get = async (name: string): Promise<StoredHost | null> => this.hosts.get(name) ?? null;
  add = (host: StoredHost): Promise<void> => this.write(() => void this.hosts.set(host.name, host));
  replace = async (host: StoredHost, etag: string): Promise<boolean> => {
    if (this.hosts.get(host.name)?.etag !== etag) return false;
    await this.write(() => void this.hosts.set(host.name, host));
    return true;
  };
  trash = async (name: string, etag: string, mark: TrashMark): Promise<boolean> => {
    const host = this.hosts.get(name);
    if (host?.etag !== etag) return false;
    await this.write(() => {
      this.hosts.delete(name);
      this.inTrash.set(mark.id, { ...mark, host });
    });
    return true;
  };
  trashed = async (): Promise<TrashedHost[]> => [...this.inTrash.values()];
  untrash = async (id: string): Promise<boolean> => {
    const found = this.inTrash.get(id);
    if (found) this.hosts.set(found.host.name, found.host);
    return this.inTrash.delete(id);
  };
  removeTrashed = async (id: string): Promise<boolean> => this.inTrash.delete(id);

  private async write(work: () => void): Promise<void> {
    if (this.failure) throw this.failure;
    await this.meanwhile();
    work();
  }
}
