/** The commands `host add`, `host edit` and `host remove`: for hosts that are kept in the database. */
import type { Command } from 'commander';
import {
  CreateHostResponse,
  DeleteHostResponse,
  HostServiceService,
  UpdateHostResponse,
  type Host,
} from '../../src/gen/busy/v1/host_service.js';
import { usageError } from './cli-error.js';
import { helpText } from './help.js';
import { readSettingWords } from './host-words.js';
import type { Printer } from './output.js';
import type { Commands, Session } from './session.js';

interface ChangeOptions {
  readonly check?: true;
}

const settingsHelp = `
The settings are those of the configuration file (see config/busy.example.yaml):
  max_incr=5                     a number
  srcdirs=/etc,/home             a list
  windows='["sat,sun 0:00-24:00"]'  a list whose parts hold commas
  keep='{daily: 7, weekly: 4}'   a map
  excludes=                      no value: the default holds
  excludes=[]                    an empty list`;

/** Adds them below the command `host`. */
export function addHostChangeCommands(host: Command, action: Commands['action']): void {
  host
    .command('add')
    .description('add a host to the database')
    .argument('<name>', 'what it is called here')
    .argument('[settings...]', 'its settings: SETTING=VALUE')
    .option('--check', 'only check the settings')
    .addHelpText('after', settingsHelp)
    .addHelpText('after', helpText(['busy host add web1 srcdirs=/etc,/home schedule=22:00 user=backup']))
    .action(action(addHost));
  host
    .command('edit')
    .description('change settings of a host in the database')
    .argument('<name>', 'the host')
    .argument('<settings...>', 'the settings that change: SETTING=VALUE')
    .option('--check', 'only check the settings')
    .addHelpText('after', settingsHelp)
    .addHelpText('after', helpText(['busy host edit web1 max_incr=5 excludes=']))
    .action(action(editHost));
  host
    .command('remove')
    .description('move a host of the database to the trash; its snapshots stay')
    .argument('<name>', 'the host')
    .option('-y, --yes', 'yes, remove it')
    .addHelpText('after', helpText(['busy host remove web1 --yes']))
    .action(action(removeHost));
}

async function addHost(
  { connection, printer }: Session,
  name: string,
  words: readonly string[],
  { check }: ChangeOptions,
): Promise<void> {
  const { settings } = readSettingWords(words);
  const request = { name, settings, validateOnly: check ?? false };
  const answer = await connection.call(HostServiceService.createHost, request);
  if (printer.isJson) return printer.json(CreateHostResponse.toJSON(answer));
  report(printer, answer.host, check ? 'could be added' : 'was added');
}

async function editHost(
  { connection, printer }: Session,
  name: string,
  words: readonly string[],
  { check }: ChangeOptions,
): Promise<void> {
  const { settings, mask } = readSettingWords(words);
  const request = { name, settings, updateMask: mask, etag: '', validateOnly: check ?? false };
  const answer = await connection.call(HostServiceService.updateHost, request);
  if (printer.isJson) return printer.json(UpdateHostResponse.toJSON(answer));
  report(printer, answer.host, check ? 'could be changed' : 'was changed');
}

async function removeHost(
  { connection, printer }: Session,
  name: string,
  { yes }: { readonly yes?: true },
): Promise<void> {
  if (!yes)
    throw usageError(
      `This moves the settings of host "${name}" to the trash; its snapshots stay.`,
      `To do so: busy host remove ${name} --yes`,
    );
  const answer = await connection.call(HostServiceService.deleteHost, { name, etag: '' });
  if (printer.isJson) return printer.json(DeleteHostResponse.toJSON(answer));
  const count = answer.snapshotCount;
  const stay = count === 0 ? 'It had no snapshots.' : `${count} snapshots stay in ${answer.directory}.`;
  printer.line(`Host ${name} was removed. ${stay}`);
  printer.line(`It comes back with: busy trash restore ${name}`);
}

function report(printer: Printer, host: Host | undefined, what: string): void {
  printer.line(`Host ${host?.name} ${what}.`);
  if (host?.hostKey === '')
    printer.note(`its host key is not pinned, so backups are refused; pin it with: busy enroll ${host.name}`);
}
