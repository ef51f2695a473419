/** Calls to a daemon that may be gone, hang, or be without its database. */
import { Client, credentials, status, type MethodDefinition, type ServiceError } from '@grpc/grpc-js';
import { BackupServiceService } from '../../../src/gen/busy/v1/backup_service.js';
import type { Run, RunState } from '../../../src/gen/busy/v1/run.js';
import type { Snapshot } from '../../../src/gen/busy/v1/snapshot.js';
import { SnapshotServiceService } from '../../../src/gen/busy/v1/snapshot_service.js';
import { reasonOf } from '../../helpers/grpc-calls.js';

const callLimitMs = 20_000;
const pageSize = 1000;

export class FleetApi {
  constructor(private readonly socket: string) {}

  /** One call on a connection of its own. Rejects with the ServiceError. */
  async ask<Request, Answer>(method: MethodDefinition<Request, Answer>, request: Request): Promise<Answer> {
    // Not the connection that a subscriber has given up for some seconds since the daemon was gone.
    const own = { 'grpc.use_local_subchannel_pool': 1 };
    const client = new Client(`unix:${this.socket}`, credentials.createInsecure(), own);
    const { path, requestSerialize, responseDeserialize } = method;
    const options = { deadline: Date.now() + callLimitMs };
    try {
      return await new Promise<Answer>((resolve, reject) => {
        client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          options,
          (error, answer) => (error ? reject(error) : resolve(answer as Answer)),
        );
      });
    } finally {
      client.close();
    }
  }

  /** Throws what `ask` throws. */
  async run(id: string): Promise<Run> {
    const { run } = await this.ask(BackupServiceService.getRun, { id });
    if (!run) throw new Error(`GetRun answers no run ${id}`);
    return run;
  }

  /** Newest first; at most so many; in any state when none is named. */
  runs(most: number, states: RunState[] = []): Promise<Run[]> {
    return this.list(most, { host: '', states });
  }

  /** Of one host, newest first; at most so many. */
  runsOf(host: string, most: number): Promise<Run[]> {
    return this.list(most, { host, states: [] });
  }

  private async list(most: number, filter: { host: string; states: RunState[] }): Promise<Run[]> {
    const found: Run[] = [];
    for (let pageToken = ''; found.length < most;) {
      const request = { pageSize: Math.min(pageSize, most), pageToken, ...filter };
      const page = await this.ask(BackupServiceService.listRuns, request);
      found.push(...page.runs);
      pageToken = page.nextPageToken;
      if (pageToken === '') break;
    }
    return found;
  }

  /** Of all hosts, newest first. */
  async snapshots(): Promise<Snapshot[]> {
    const found: Snapshot[] = [];
    for (let pageToken = ''; ;) {
      const request = { pageSize, pageToken, host: '' };
      const page = await this.ask(SnapshotServiceService.listSnapshots, request);
      found.push(...page.snapshots);
      pageToken = page.nextPageToken;
      if (pageToken === '') return found;
    }
  }
}

/** Whether a call failed since nobody answered, and not since it was refused. */
export function isWithoutAnswer(error: unknown): boolean {
  const { code } = error as ServiceError;
  const mayBeGone = code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED;
  return (mayBeGone || code === status.CANCELLED) && reasonOf(error) === '';
}

export function describeError(error: unknown): string {
  const { code, details } = error as ServiceError;
  return code === undefined ? String(error) : `${status[code]} ${reasonOf(error)} "${details}"`;
}
