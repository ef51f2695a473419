/** What `grpc.health.v1` says of a daemon, as a load balancer or a monitor asks it. */
import { credentials } from '@grpc/grpc-js';
import {
  type HealthCheckResponse_ServingStatus,
  HealthClient,
  HealthService,
} from '../../src/gen/grpc/health/v1/health.js';
import { callMethod } from './grpc-calls.js';
import type { TestBed } from './test-bed.js';

/** The status of the daemon as a whole. */
export async function healthOf(bed: TestBed): Promise<HealthCheckResponse_ServingStatus> {
  const client = new HealthClient(`unix:${bed.socket}`, credentials.createInsecure());
  try {
    const { status } = await callMethod(client, HealthService.check, { service: '' });
    return status;
  } finally {
    client.close();
  }
}
