/** The command `enroll`: from a host that nobody knows to one that can be backed up. */
import { readFile } from 'node:fs/promises';
import {
  CheckHostResponse,
  EnrollmentServiceService,
  ImportHostKeysResponse,
  PinHostKeyResponse,
  PrepareHostKeyPairResponse,
  ScanHostKeyResponse,
} from '../../src/gen/busy/v1/enrollment_service.js';
import { CliError, usageError } from './cli-error.js';
import { exitCodes } from './exit-codes.js';
import { exitCodeOf, printFindings } from './findings.js';
import { helpText } from './help.js';
import type { Commands, Session } from './session.js';

/** A host may be slow, and each source directory is looked at; milliseconds. */
const checkTimeoutMs = 600_000;
const scanTimeoutMs = 120_000;

interface EnrollOptions {
  readonly fingerprint?: string;
  readonly replaceKey?: true;
  readonly check?: true;
  readonly knownHosts?: string;
}

export function addEnrollCommand({ program, action }: Commands): void {
  program
    .command('enroll')
    .description('make a host known: pin its key, make a key for it, test what a backup needs')
    .argument('[host...]', 'the host; with --known-hosts several, or none for all')
    .option('--fingerprint <SHA256:...>', 'pin this key without asking')
    .option('--replace-key', 'pin another key than the one that is pinned')
    .option('--check', 'only test the login and what a backup needs')
    .option('--known-hosts <file>', 'pin keys from a known_hosts file, for hosts that have none')
    .addHelpText(
      'after',
      helpText([
        'busy enroll web1',
        'busy enroll web1 --check',
        'busy enroll web1 --replace-key',
        'busy enroll --known-hosts ~/.ssh/known_hosts',
      ]),
    )
    .action(action(enroll));
}

async function enroll(session: Session, hosts: string[], options: EnrollOptions): Promise<number> {
  if (options.knownHosts !== undefined) return importKeys(session, options.knownHosts, hosts);
  const [host, ...others] = hosts;
  if (host === undefined || others.length > 0) throw usageError('Give one host.', 'See: busy enroll --help');
  return options.check ? check(session, host) : enrollHost(session, host, options);
}

async function enrollHost(session: Session, host: string, options: EnrollOptions): Promise<number> {
  const { connection, printer } = session;
  const scan = await connection.call(EnrollmentServiceService.scanHostKey, { host }, scanTimeoutMs);
  const [keyType = ''] = scan.hostKey.split(' ');
  if (!printer.isJson)
    printer.line(`${host} at ${scan.address} shows the key ${scan.fingerprint} (${keyType}).`);
  const isKnown = scan.pinnedFingerprint === scan.fingerprint;
  if (!isKnown && scan.pinnedFingerprint !== '' && !options.replaceKey) throw changedKey(host, scan);
  if (!isKnown && scan.pinnedFingerprint !== '')
    printer.note(`the pinned key is another one: ${scan.pinnedFingerprint}`);
  const fingerprint = options.fingerprint ?? (isKnown ? scan.fingerprint : await askFor(session, host, scan));
  if (fingerprint === null) {
    printer.note('nothing was pinned');
    return exitCodes.failed;
  }
  const request = { host, fingerprint, replace: options.replaceKey ?? false };
  const pin = await connection.call(EnrollmentServiceService.pinHostKey, request, scanTimeoutMs);
  const pair = await connection.call(EnrollmentServiceService.prepareHostKeyPair, { host }, scanTimeoutMs);
  if (!printer.isJson) printPair(session, host, { isKnown, pair });
  // Nobody can have let in a key that was made just now.
  const found = pair.isNew
    ? null
    : await connection.call(EnrollmentServiceService.checkHost, { host }, checkTimeoutMs);
  if (printer.isJson) {
    printer.json({
      scan: ScanHostKeyResponse.toJSON(scan),
      pin: PinHostKeyResponse.toJSON(pin),
      keyPair: PrepareHostKeyPairResponse.toJSON(pair),
      ...(found && { check: CheckHostResponse.toJSON(found) }),
    });
  } else if (found) {
    printFindings(printer, found.findings);
  }
  return found ? exitCodeOf(found.findings) : exitCodes.done;
}

/** Answers the fingerprint that the user has compared, or null. */
async function askFor(session: Session, host: string, scan: ScanHostKeyResponse): Promise<string | null> {
  const { ask, printer } = session;
  if (ask === null)
    throw usageError(
      `Nobody can be asked whether ${scan.fingerprint} is the key of ${host}.`,
      `Compare it on the host, then: busy enroll ${host} --fingerprint SHA256:...`,
    );
  printer.note(`compare it on the host, not over the network: ${scan.compareCommand}`);
  const answer = await ask('Is it the same? Then type yes (or paste the fingerprint): ');
  const said = answer.trim();
  if (said.startsWith('SHA256:')) return said;
  return said.toLowerCase() === 'yes' ? scan.fingerprint : null;
}

function printPair(
  { printer }: Session,
  host: string,
  { isKnown, pair }: { readonly isKnown: boolean; readonly pair: PrepareHostKeyPairResponse },
): void {
  printer.line(isKnown ? 'It is the pinned key.' : 'It is pinned now.');
  printer.line(
    `The key of the server for this host is ${pair.identityFile}${pair.isNew ? ' (made just now)' : ''}.`,
  );
  for (const [index, step] of pair.steps.entries()) printer.line(`${index + 1}. ${step}`);
  printer.line('');
  printer.line(pair.authorizedKeysLine);
  printer.line('');
  for (const note of pair.notes) printer.note(note);
  if (pair.isNew) printer.line(`Then: busy enroll ${host} --check`);
}

async function check({ connection, printer }: Session, host: string): Promise<number> {
  const answer = await connection.call(EnrollmentServiceService.checkHost, { host }, checkTimeoutMs);
  if (printer.isJson) printer.json(CheckHostResponse.toJSON(answer));
  else printFindings(printer, answer.findings);
  return exitCodeOf(answer.findings);
}

async function importKeys({ connection, printer }: Session, file: string, hosts: string[]): Promise<number> {
  const knownHosts = await readFile(file, 'utf8').catch((error: unknown) => {
    throw usageError(`${file} cannot be read: ${String(error)}`, 'Give a known_hosts file.');
  });
  const answer = await connection.call(EnrollmentServiceService.importHostKeys, { knownHosts, hosts });
  if (printer.isJson) printer.json(ImportHostKeysResponse.toJSON(answer));
  else printFindings(printer, answer.findings);
  return exitCodeOf(answer.findings);
}

function changedKey(host: string, { pinnedFingerprint, fingerprint }: ScanHostKeyResponse): CliError {
  return new CliError({
    kind: 'refused',
    reason: 'HOST_KEY_CHANGED',
    message: `${host} shows ${fingerprint}, but ${pinnedFingerprint} is pinned. Nothing was changed.`,
    advice: `Find out why. If the host was installed anew: busy enroll ${host} --replace-key`,
    code: 'FAILED_PRECONDITION',
  });
}
