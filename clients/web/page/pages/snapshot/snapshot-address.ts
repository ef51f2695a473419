/** Addresses within the page. */
import type { PlaceInSnapshot } from '../../api/files.js';

export function snapshotAddress({ host, snapshot, path }: PlaceInSnapshot): string {
  return `/hosts/${host}/snapshots/${snapshot}?${new URLSearchParams({ path })}`;
}

export function historyAddress(host: string, path: string): string {
  return `/hosts/${host}/history?${new URLSearchParams({ path })}`;
}
