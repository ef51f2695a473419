/** The command `doctor`: whether everything that backups need is as it should be. */
import { EnrollmentServiceService, Finding, FindingState } from '../../src/gen/busy/v1/enrollment_service.js';
import { HostServiceService } from '../../src/gen/busy/v1/host_service.js';
import { exitCodeOf, printFindings } from './findings.js';
import { helpText } from './help.js';
import { collectPages } from './pages.js';
import type { Commands, Session } from './session.js';

/** A host may be slow, and each source directory is looked at; milliseconds. */
const checkTimeoutMs = 600_000;
/** Hosts that are looked at in parallel. */
const atOnce = 8;

export function addDoctorCommand({ program, action }: Commands): void {
  program
    .command('doctor')
    .description('look whether the server and the hosts have what backups need; changes nothing')
    .argument('[host]', 'only this host; by default all hosts, and the server itself')
    .addHelpText('after', helpText(['busy doctor', 'busy doctor web1', 'busy doctor --json']))
    .action(action(doctor));
}

async function doctor(session: Session, name?: string): Promise<number> {
  const { connection, printer } = session;
  const isWhole = name === undefined;
  const hosts = isWhole ? await hostNames(session) : [name];
  const server = isWhole
    ? (await connection.call(EnrollmentServiceService.checkServer, {}, checkTimeoutMs)).findings
    : [];
  const found = await checkAll(session, hosts);
  if (printer.isJson) {
    printer.json({
      server: server.map((finding) => Finding.toJSON(finding)),
      hosts: hosts.map((host, index) => ({
        host,
        findings: (found[index] ?? []).map((finding) => Finding.toJSON(finding)),
      })),
    });
  } else {
    if (isWhole) {
      printer.line('The server');
      printFindings(printer, server);
    }
    for (const [index, host] of hosts.entries()) {
      printer.line(`Host ${host}`);
      printFindings(printer, found[index] ?? []);
    }
    printer.line(summary([...server, ...found.flat()]));
  }
  return exitCodeOf([...server, ...found.flat()]);
}

async function hostNames({ connection }: Session): Promise<string[]> {
  const hosts = await collectPages(async (page) => {
    const answer = await connection.call(HostServiceService.listHosts, page);
    return { items: answer.hosts, nextPageToken: answer.nextPageToken };
  });
  return hosts.map(({ name }) => name);
}

/** In the order of `hosts`. */
async function checkAll({ connection }: Session, hosts: readonly string[]): Promise<Finding[][]> {
  const found: Finding[][] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < hosts.length) {
      const index = next++;
      const request = { host: hosts[index] ?? '' };
      const answer = await connection.call(EnrollmentServiceService.checkHost, request, checkTimeoutMs);
      found[index] = answer.findings;
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, hosts.length) }, work));
  return found;
}

function summary(findings: readonly Finding[]): string {
  const count = (wanted: FindingState): number => findings.filter(({ state }) => state === wanted).length;
  return `${count(FindingState.PROBLEM)} problems, ${count(FindingState.WARNING)} warnings, ${count(FindingState.OK)} in order`;
}
