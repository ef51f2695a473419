/** The command `info`. */
import {
  DaemonServiceService,
  DatabaseState,
  GetDaemonInfoResponse,
  type OtherDaemon,
  type Reserve,
  type RsyncConfinement,
} from '../../src/gen/busy/v1/daemon_service.js';
import { helpText } from './help.js';
import { formatAge, formatBytes, formatCount, formatTime } from './human-format.js';
import type { Commands, Session } from './session.js';

export function addInfoCommand({ program, action }: Commands): void {
  program
    .command('info')
    .description('show what the daemon is and how it is')
    .addHelpText('after', helpText(['busy info', 'busy info --server backup.example.org:4000']))
    .action(action(showInfo));
}

async function showInfo({ connection, printer, now }: Session): Promise<void> {
  const info = await connection.call(DaemonServiceService.getDaemonInfo, {});
  if (printer.isJson) return printer.json(GetDaemonInfoResponse.toJSON(info));
  printer.facts([
    ['Version', info.version],
    ['Started', `${formatTime(info.startedAt)} (${formatAge(info.startedAt, now())}), process ${info.pid}`],
    ['Configuration', info.configFile],
    ['State', info.stateDir],
    ['Database', `${info.database}${databaseTrouble(info)}`],
    ...info.otherDaemons.map((other): [string, string] => ['Shared with', describeOther(other)]),
    ['Listens at', info.endpoints.join(', ')],
    ['Metrics', info.metricsAddress || 'not served (metrics_listen)'],
    ['Hosts', formatCount(info.hostCount)],
    ['Runs', `${info.runsRunning} running (at most ${info.maxRunning}), ${info.runsQueued} queued`],
    ['Verification', verificationText(info, now())],
    ['Executors', formatCount(info.executors)],
    ['rsync', info.rsyncVersion || 'none: no backup can be made'],
    ['Confinement', confinementText(info.confinement)],
    ['Memory', formatBytes(info.memoryBytes)],
    ['Reserve', reserveText(info.reserve)],
    ['Audit', auditText(info)],
  ]);
  for (const disk of info.disks) {
    const bytes = `${formatBytes(disk.freeBytes)} free of ${formatBytes(disk.totalBytes)}`;
    const inodes =
      disk.totalInodes > 0
        ? `, ${Math.floor((100 * disk.freeInodes) / disk.totalInodes)} % of the inodes`
        : '';
    printer.line(`${disk.backupdir}: ${bytes}${inodes}`);
  }
}

function verificationText(info: GetDaemonInfoResponse, now: Date): string {
  const { oldestUnverified: oldest, unverifiableSnapshots, damagedSnapshots, verificationsRunning } = info;
  const parts = [
    oldest === undefined
      ? 'nothing to verify yet'
      : `all bytes were read within ${formatAge(oldest.since, now).replace(/ ago$/, '')} (the oldest: ${oldest.host} ${oldest.snapshot})`,
  ];
  if (unverifiableSnapshots > 0)
    parts.push(`${formatCount(unverifiableSnapshots)} snapshots have no manifest`);
  if (damagedSnapshots > 0) parts.push(`${formatCount(damagedSnapshots)} snapshots are DAMAGED`);
  if (verificationsRunning > 0) parts.push(`${formatCount(verificationsRunning)} running`);
  return parts.join('; ');
}

function confinementText(confinement: RsyncConfinement | undefined): string {
  if (!confinement) return 'unknown';
  const { isBoxed, hasOwnNetwork, isMemoryBounded, why } = confinement;
  const memory = isMemoryBounded ? 'memory bounded' : 'memory not bounded';
  if (!isBoxed) return `own process group and environment, ${memory}; no more, since ${why}`;
  return `bwrap: sees the directory of its host alone, ${hasOwnNetwork ? 'no network' : 'no sockets'}, ${memory}`;
}

function auditText({ auditSequence, auditHash }: GetDaemonInfoResponse): string {
  return auditHash === ''
    ? 'the log cannot be written: whatever would change something is refused'
    : `line ${auditSequence} has the hash ${auditHash}`;
}

function databaseTrouble(info: GetDaemonInfoResponse): string {
  if (info.databaseState !== DatabaseState.UNAVAILABLE) return '';
  return `, not available since ${formatTime(info.databaseUnavailableSince)}: no backup begins`;
}

function reserveText(reserve: Reserve | undefined): string {
  const { bytes = 0, wantedBytes = 0, releasedSince } = reserve ?? {};
  if (wantedBytes === 0) return 'none';
  if (releasedSince !== undefined)
    return `${formatBytes(bytes)} of ${formatBytes(wantedBytes)}: the disk of the state directory has been full since ${formatTime(releasedSince)}`;
  return bytes < wantedBytes ? `not there yet (${formatBytes(wantedBytes)} are wanted)` : formatBytes(bytes);
}

function describeOther({ hostname, pid, hostCount, isSilent }: OtherDaemon): string {
  const hosts = `${formatCount(hostCount)} ${hostCount === 1 ? 'host' : 'hosts'}`;
  return `process ${pid} on ${hostname}, with ${hosts}${isSilent ? ', not heard of for long' : ''}`;
}
