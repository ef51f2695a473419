/** What the daemon itself says of hosts that were not backed up in time, so that a failure explains itself. */
import { BackupServiceService } from '../../../src/gen/busy/v1/backup_service.js';
import { HostServiceService } from '../../../src/gen/busy/v1/host_service.js';
import { BackupType, RunKind, RunState, type Run } from '../../../src/gen/busy/v1/run.js';
import { describeError, type FleetApi } from './fleet-api.js';

const mostHosts = 6;
const mostRuns = 8;

/** A few lines for each of the first hosts. Never throws. */
export async function describeLate(api: FleetApi, hosts: readonly string[]): Promise<string> {
  const told: string[] = [`by the clock of this machine it is ${new Date().toISOString()}`];
  for (const host of hosts.slice(0, mostHosts)) {
    told.push(`${host}: ${await explanationOf(api, host).catch(describeError)}`);
    const runs = await api.runsOf(host, mostRuns).catch((error: unknown) => [describeError(error)]);
    told.push(...runs.map((run) => (typeof run === 'string' ? run : describeRun(run))));
    told.push(`  asked for now: ${await startOf(api, host).catch(describeError)}`);
  }
  return told.join('\n    ');
}

async function explanationOf(api: FleetApi, name: string): Promise<string> {
  const { type, newestSnapshot, youngestFullSnapshot, heldSnapshot, nextAt, ...said } = await api.ask(
    HostServiceService.explainHost,
    { name },
  );
  const snapshots = [newestSnapshot, youngestFullSnapshot, heldSnapshot].map((one) => one?.name ?? 'none');
  return JSON.stringify({ ...said, type: BackupType[type], nextAt, 'newest, full, held': snapshots });
}

/** A host that could not be started by anybody says why. */
async function startOf(api: FleetApi, host: string): Promise<string> {
  const request = { host, type: BackupType.AUTO, requestId: `late-${host}`, acceptChanges: false };
  const { run } = await api.ask(BackupServiceService.triggerBackup, request);
  return run ? describeRun(run) : 'no run';
}

function describeRun({ id, kind, state, error, createdAt, startedAt, endedAt, snapshot }: Run): string {
  const times = [createdAt, startedAt, endedAt].map((time) => time?.toISOString() ?? '-').join(' ');
  return `  ${RunKind[kind]} ${id} ${RunState[state]} ${error?.reason ?? ''} ${times} ${snapshot}`;
}
