/**
 * Answers of ListHosts from bytes that are kept: a host is converted and encoded once, and again when something that is
 * told of it has changed. The pages of a thousand hosts cost more than all else that clients ask for, again and again.
 */
import type { Host } from '../core/host.js';
import { type HostOrigin, HostServiceService, ListHostsResponse } from '../gen/busy/v1/host_service.js';
import { toHostMessage, type HostFacts } from './convert.js';

/** A page whose hosts are fields of a ListHostsResponse already. */
export interface WrittenPage {
  readonly hosts: readonly Uint8Array[];
  readonly nextPageToken: string;
  readonly origin: HostOrigin;
}

/** HostService, with a ListHosts that takes such pages. */
export const hostService = {
  ...HostServiceService,
  listHosts: {
    ...HostServiceService.listHosts,
    responseSerialize: ({ hosts, ...others }: WrittenPage): Buffer =>
      Buffer.concat([...hosts, ListHostsResponse.encode({ hosts: [], ...others }).finish()]),
  },
};

export class WrittenHosts {
  /** A host with other settings is another object, so what is kept of the former goes with it. */
  private readonly known = new WeakMap<Host, { readonly facts: HostFacts; readonly bytes: Uint8Array }>();

  /** The records in the facts are never changed: what has changed is another record. */
  write(host: Host, facts: HostFacts): Uint8Array {
    const known = this.known.get(host);
    if (known && tellTheSame(known.facts, facts)) return known.bytes;
    const page = { hosts: [toHostMessage(host, facts)], nextPageToken: '', origin: 0 };
    const bytes = ListHostsResponse.encode(page).finish();
    this.known.set(host, { facts, bytes });
    return bytes;
  }
}

function tellTheSame(a: HostFacts, b: HostFacts): boolean {
  return (
    a.snapshots === b.snapshots &&
    a.lastRun === b.lastRun &&
    a.progress === b.progress &&
    a.condition.condition === b.condition.condition &&
    a.condition.reason === b.condition.reason &&
    a.nextAt?.getTime() === b.nextAt?.getTime() &&
    a.restoreProof === b.restoreProof &&
    a.lastDrill === b.lastDrill
  );
}
