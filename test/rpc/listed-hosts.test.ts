/** What ListHosts keeps of a host is told as long as it is true, and no longer. */
import { describe, expect, it } from 'vitest';
import type { Host } from '../../src/core/host.js';
import { HostOrigin, ListHostsResponse } from '../../src/gen/busy/v1/host_service.js';
import { toHostMessage, type HostFacts } from '../../src/rpc/convert.js';
import { hostService, WrittenHosts } from '../../src/rpc/listed-hosts.js';
import { sampleHost } from '../helpers/sample-host.js';
import { sampleProgress, sampleRun, sampleSnapshot } from './samples.js';

const facts: HostFacts = {
  snapshots: [sampleSnapshot('web1', '2026-11-21_20-00-05f')],
  lastRun: sampleRun(1, { state: 'RUNNING' }),
  progress: sampleProgress,
  condition: { condition: 'late', reason: 'the newest snapshot is 2.1 days old' },
  nextAt: new Date('2026-11-23T20:00:00Z'),
  restoreProof: null,
  lastDrill: null,
};

const others: Readonly<Record<keyof HostFacts, HostFacts>> = {
  snapshots: { ...facts, snapshots: [] },
  lastRun: { ...facts, lastRun: sampleRun(1, { state: 'FAILED' }) },
  progress: { ...facts, progress: { ...sampleProgress, bytesDone: 2 } },
  condition: { ...facts, condition: { ...facts.condition, reason: 'the newest snapshot is 2.2 days old' } },
  nextAt: { ...facts, nextAt: new Date('2026-11-23T20:00:01Z') },
  restoreProof: { ...facts, restoreProof: sampleRun(2, { kind: 'drill' }) },
  lastDrill: { ...facts, lastDrill: sampleRun(2, { kind: 'drill' }) },
};

function read(written: readonly Uint8Array[]): ListHostsResponse {
  const page = { hosts: written, nextPageToken: 'next', origin: HostOrigin.FILE };
  return ListHostsResponse.decode(hostService.listHosts.responseSerialize(page));
}

function asSent(host: Host, known: HostFacts): unknown {
  const page = { hosts: [toHostMessage(host, known)], nextPageToken: 'next', origin: HostOrigin.FILE };
  return ListHostsResponse.decode(ListHostsResponse.encode(page).finish());
}

describe('hosts that are written once', () => {
  it('arrive as those that are written each time', () => {
    const [web1, db1] = [sampleHost(), sampleHost({ name: 'db1', excludes: ['/tmp', '/ü'] })];
    const hosts = new WrittenHosts();
    const page = read([hosts.write(web1, facts), hosts.write(db1, others.snapshots)]);
    const each = [asSent(web1, facts), asSent(db1, others.snapshots)] as ListHostsResponse[];
    expect(page).toEqual({
      hosts: each.flatMap((one) => one.hosts),
      nextPageToken: 'next',
      origin: HostOrigin.FILE,
    });
    expect(read([])).toEqual({ hosts: [], nextPageToken: 'next', origin: HostOrigin.FILE });
  });

  it('are not written again while nothing has changed', () => {
    const [host, hosts] = [sampleHost(), new WrittenHosts()];
    const first = hosts.write(host, facts);
    const { condition, nextAt } = facts;
    const same = { ...facts, condition: { ...condition }, nextAt: new Date(nextAt ?? 0) };
    expect(hosts.write(host, same)).toBe(first);
  });

  it.each(Object.entries(others))('are written again when %s has changed', (_what, changed) => {
    const [host, hosts] = [sampleHost(), new WrittenHosts()];
    hosts.write(host, facts);
    expect(read([hosts.write(host, changed)])).toEqual(asSent(host, changed));
    expect(read([hosts.write(host, facts)])).toEqual(asSent(host, facts));
  });

  it('are written again when the host has other settings', () => {
    const hosts = new WrittenHosts();
    hosts.write(sampleHost(), facts);
    const changed = sampleHost({ user: 'root' });
    expect(read([hosts.write(changed, facts)])).toEqual(asSent(changed, facts));
  });
});
