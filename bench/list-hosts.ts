import { setTimeout } from 'node:timers/promises';
import { Client, credentials } from '@grpc/grpc-js';
import { HostServiceService } from '../src/gen/busy/v1/host_service.js';
import { callMethod } from '../test/helpers/grpc-calls.js';
import { percentile } from './statistics.js';

export interface CallTimes {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Until the answer had arrived as bytes, before the client made objects of it. */
  readonly arrivedP99Ms: number;
}

const warmUpCalls = 50;

/**
 * Calls ListHosts again and again, each call `pauseMs` after the answer to the one before, on one connection. With a
 * pause the calls themselves are no load.
 */
export async function measureListHosts(
  socket: string,
  pageSize: number,
  calls: number,
  pauseMs = 0,
): Promise<CallTimes> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  const timesMs: number[] = [];
  const arrivedMs: number[] = [];
  let arrivedAt = 0;
  const listHosts = {
    ...HostServiceService.listHosts,
    responseDeserialize: (bytes: Buffer) => {
      arrivedAt = performance.now();
      return HostServiceService.listHosts.responseDeserialize(bytes);
    },
  };
  try {
    for (let call = 0; call < warmUpCalls + calls; call++) {
      if (pauseMs > 0) await setTimeout(pauseMs);
      const startedAt = performance.now();
      const { hosts } = await callMethod(client, listHosts, { pageSize, pageToken: '' });
      if (call >= warmUpCalls) {
        timesMs.push(performance.now() - startedAt);
        arrivedMs.push(arrivedAt - startedAt);
      }
      if (hosts.length !== pageSize) throw new Error(`ListHosts answered ${hosts.length} hosts.`);
    }
  } finally {
    client.close();
  }
  return {
    p50Ms: percentile(timesMs, 50),
    p99Ms: percentile(timesMs, 99),
    arrivedP99Ms: percentile(arrivedMs, 99),
  };
}
