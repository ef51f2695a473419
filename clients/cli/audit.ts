/** The command `audit`: who changed what, and whether the log of it is whole. */
import {
  type AuditEntry,
  AuditOutcome,
  AuditServiceService,
  ListAuditResponse,
  VerifyAuditResponse,
} from '../../src/gen/busy/v1/audit_service.js';
import { exitCodes } from './exit-codes.js';
import { helpText } from './help.js';
import { formatCount, formatTime } from './human-format.js';
import { parseCount } from './options.js';
import type { Cell } from './output.js';
import { collectPages } from './pages.js';
import type { Commands, Session } from './session.js';
import { parseTimeWord } from './time-word.js';

/** All of a log is read, in milliseconds. */
const verifyTimeoutMs = 600_000;
const defaultLimit = 50;

interface Options {
  readonly host?: string;
  readonly caller?: string;
  readonly since?: string;
  readonly limit?: number;
  readonly verify?: true;
  readonly noted?: string;
}

export function addAuditCommand({ program, action }: Commands): void {
  program
    .command('audit')
    .description('show who changed what and how it ended, newest first, or verify the log of it')
    .option('--host <host>', 'only what was about this host')
    .option('--caller <name>', 'only what this caller did (busyd: the daemon by itself)')
    .option('--since <time>', 'only what was done since then: "2026-11-01 12:00", or RFC 3339')
    .option('--limit <count>', `at most this many (default: ${defaultLimit})`, parseCount)
    .option('--verify', 'follow the chain of hashes through the whole log')
    .option('--noted <hash>', 'with --verify: a hash that was noted earlier (busy info) and must be in it')
    .addHelpText(
      'after',
      helpText(['busy audit --host web1 --since "2026-11-01 12:00"', 'busy audit --verify']),
    )
    .action(action(audit));
}

async function audit(session: Session, options: Options): Promise<number | void> {
  return options.verify || options.noted !== undefined
    ? verifyAudit(session, options.noted ?? '')
    : listAudit(session, options);
}

async function listAudit({ connection, printer }: Session, options: Options): Promise<void> {
  const since = options.since === undefined ? undefined : parseTimeWord('--since', options.since);
  const { host = '', caller = '', limit = defaultLimit } = options;
  const entries = await collectPages(async (page) => {
    const request = { ...page, host, caller, since };
    const answer = await connection.call(AuditServiceService.listAudit, request);
    return { items: answer.entries, nextPageToken: answer.nextPageToken };
  }, limit);
  if (printer.isJson) return printer.json(ListAuditResponse.toJSON({ entries, nextPageToken: '' }));
  printer.table(
    ['TIME', 'WHO', 'FROM', 'CALL', 'HOST', 'OUTCOME', 'WHAT'],
    entries.map((entry) => [
      formatTime(entry.at),
      entry.caller || '(nobody known)',
      fromText(entry),
      entry.call,
      entry.host || '-',
      outcomeCell(entry),
      whatText(entry),
    ]),
    'Nothing was changed.',
  );
}

async function verifyAudit({ connection, printer }: Session, notedHash: string): Promise<number> {
  const found = await connection.call(AuditServiceService.verifyAudit, { notedHash }, verifyTimeoutMs);
  const code = found.isWhole ? exitCodes.done : exitCodes.failed;
  if (printer.isJson) {
    printer.json(VerifyAuditResponse.toJSON(found));
    return code;
  }
  if (!found.isWhole) {
    const place =
      found.brokenLine > 0
        ? `${found.brokenFile} line ${found.brokenLine}: `
        : found.brokenFile && `${found.brokenFile}: `;
    printer.line({ text: 'BROKEN', colour: 'red' }, ` ${place}${found.problem}.`);
    return code;
  }
  const torn = found.tornLines > 0 ? `, ${formatCount(found.tornLines)} cut short by a crash` : '';
  printer.line(`The chain of ${formatCount(found.lines)} lines is whole${torn}.`);
  printer.line(`Line ${found.headSequence} has the hash ${found.headHash}`);
  if (notedHash === '')
    printer.line('Lines that were taken off the end are found only with a hash that was noted: --noted HASH');
  return code;
}

/** What the caller said of whom he calls for stands in brackets, since nobody has checked it. */
function fromText({ address, saidAddress }: AuditEntry): string {
  return saidAddress === '' ? address || '-' : `${address}(${saidAddress})`;
}

function whatText({ message, request, runId, result }: AuditEntry): string {
  const came = [runId && `run ${runId}`, result].filter(Boolean).join(' ');
  return (message || request) + (came && ` -> ${came}`);
}

function outcomeCell({ outcome, reason }: AuditEntry): Cell {
  switch (outcome) {
    case AuditOutcome.OK:
      return 'ok';
    case AuditOutcome.FAILED:
    case AuditOutcome.REFUSED:
      return { text: reason, colour: outcome === AuditOutcome.REFUSED ? 'red' : 'yellow' };
    case AuditOutcome.UNKNOWN:
    case AuditOutcome.UNSPECIFIED:
      return 'unknown';
    default:
      // Of a newer daemon.
      return String(outcome satisfies never);
  }
}
