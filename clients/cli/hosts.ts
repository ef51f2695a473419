/** The commands `hosts`, `host` and `probe`. */
import {
  GetHostResponse,
  Host,
  HostOrigin,
  HostServiceService,
  Initiator,
  ProbeHostResponse,
} from '../../src/gen/busy/v1/host_service.js';
import { HostSettings } from '../../src/gen/busy/v1/host_settings.js';
import type { Snapshot } from '../../src/gen/busy/v1/snapshot.js';
import { helpText } from './help.js';
import { addHostChangeCommands } from './host-changes.js';
import { toSettingWords } from './host-words.js';
import { proofCell, proofFacts } from './drill-report.js';
import { formatAge, formatCount, formatDuration } from './human-format.js';
import type { Cell } from './output.js';
import { collectPages } from './pages.js';
import type { Commands, Session } from './session.js';
import { runStateCell } from './states.js';

/** Connecting to a slow host and asking it may take this many milliseconds. */
const probeTimeoutMs = 120_000;

export function addHostCommands({ program, action }: Commands): void {
  program
    .command('hosts')
    .description('list the hosts with their newest snapshots')
    .addHelpText('after', helpText(['busy hosts', "busy hosts --json | jq -r '.hosts[].name'"]))
    .action(action(listHosts));
  const host = program
    .command('host')
    .description('show a host, or change those that are kept in the database')
    .addHelpText('after', helpText(['busy host web1', 'busy host add web1 srcdirs=/etc,/home']));
  host
    .command('show', { isDefault: true })
    .description('show a host: where it is and what is backed up')
    .argument('<name>', 'the host')
    .addHelpText('after', helpText(['busy host web1', 'busy host show web1 --json']))
    .action(action(showHost));
  addHostChangeCommands(host, action);
  program
    .command('probe')
    .description('connect to a host and report what is there; changes nothing')
    .argument('<host>', 'the host')
    .addHelpText('after', helpText(['busy probe web1']))
    .action(action(probeHost));
}

async function listHosts({ connection, printer, now }: Session): Promise<void> {
  const hosts = await collectPages(async (page) => {
    const answer = await connection.call(HostServiceService.listHosts, page);
    return { items: answer.hosts, nextPageToken: answer.nextPageToken };
  });
  if (printer.isJson) return printer.json({ hosts: hosts.map((host) => Host.toJSON(host)) });
  const isDrilled = hosts.some(({ lastDrill }) => lastDrill !== undefined);
  printer.table(
    ['HOST', 'NEWEST SNAPSHOT', 'AGE', 'SNAPSHOTS', 'LAST RUN', '', ...(isDrilled ? ['RESTORE PROVEN'] : [])],
    hosts.map((host) => [
      host.name,
      host.newestSnapshot?.name ?? '-',
      formatAge(host.newestSnapshot?.startedAt, now()),
      formatCount(host.snapshotCount),
      ...lastRunCells(host, now()),
      ...(isDrilled ? [proofCell(host, now())] : []),
    ]),
    'There are no hosts. Add them to the configuration of busyd, or with: busy host add',
  );
  for (const { name, heldSnapshot } of hosts) {
    if (heldSnapshot === undefined) continue;
    printer.line(`${name}: ${heldText(heldSnapshot)}. See: busy acknowledge ${name}`);
  }
}

async function showHost({ connection, printer, now }: Session, name: string): Promise<void> {
  const answer = await connection.call(HostServiceService.getHost, { name });
  if (printer.isJson) return printer.json(GetHostResponse.toJSON(answer));
  const shown = answer.host ?? Host.create();
  const [lastState, lastAge] = lastRunCells(shown, now());
  printer.facts([
    ['Host', shown.name],
    ['Hostname', shown.hostname],
    ['Addresses', `${shown.addresses.join(', ')}, port ${shown.port}`],
    ['User', shown.user],
    ['Sources', shown.srcdirs.join(', ')],
    ['Excludes', shown.excludes.join(', ') || '-'],
    ['Backups in', shown.backupdir],
    ['Initiator', Initiator[shown.initiator]?.toLowerCase() ?? String(shown.initiator)],
    ['Host key', shown.hostKey || 'not pinned, so backups are refused; see: busy enroll'],
    ['Snapshots', formatCount(shown.snapshotCount)],
    ['Newest', newestText(shown, now())],
    ...(shown.heldSnapshot === undefined ? [] : [['Held', heldText(shown.heldSnapshot)] as const]),
  ]);
  printer.facts(proofFacts(shown, now()));
  printer.line(
    'Last run    ',
    lastState,
    shown.lastRun === undefined ? '' : ` ${shown.lastRun.id}, `,
    lastAge,
  );
  if (answer.origin !== HostOrigin.DATABASE) return;
  printer.line('Its own settings, in the database:');
  for (const word of toSettingWords(answer.settings ?? HostSettings.create())) printer.line(`  ${word}`);
}

async function probeHost({ connection, printer }: Session, name: string): Promise<void> {
  const found = await connection.call(HostServiceService.probeHost, { name }, probeTimeoutMs);
  if (printer.isJson) return printer.json(ProbeHostResponse.toJSON(found));
  printer.facts([
    ['Host', name],
    ['Address', found.address],
    ['Host key', `${found.hostKeyFingerprint} (as pinned)`],
    ['Hostname', found.hostname || notAllowed],
    ['rsync', found.rsyncVersion || notAllowed],
    ['SSH server', found.sshSoftware],
    ['Took', formatDuration(found.durationMs)],
  ]);
}

const notAllowed = '- (the key allows only rsync)';

function newestText(host: Host, now: Date): string {
  if (host.newestSnapshot === undefined) return '-';
  return `${host.newestSnapshot.name}, ${formatAge(host.newestSnapshot.startedAt, now)}`;
}

function heldText({ name, heldFor }: Snapshot): string {
  return `${name} is held: ${heldFor.map(({ message }) => message).join('; ')}`;
}

function lastRunCells(host: Host, now: Date): [Cell, string] {
  if (host.lastRun === undefined) return ['-', ''];
  const { state, endedAt, startedAt, createdAt } = host.lastRun;
  return [runStateCell(state), formatAge(endedAt ?? startedAt ?? createdAt, now)];
}
