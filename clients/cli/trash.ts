/** The commands `trash`, `trash restore` and `trash empty`: what was deleted and is not gone yet. */
import {
  EmptyTrashResponse,
  ListTrashResponse,
  RestoreFromTrashResponse,
  TrashKind,
  TrashServiceService,
  type TrashEntry,
} from '../../src/gen/busy/v1/trash_service.js';
import { usageError } from './cli-error.js';
import { confirmed } from './confirmation.js';
import { helpText } from './help.js';
import { formatAge, formatCount, formatTime } from './human-format.js';
import { collectPages } from './pages.js';
import type { Commands, Session } from './session.js';

/** Each removal waits for the disk once, in milliseconds. */
const emptyTimeoutMs = 600_000;

export function addTrashCommands({ program, action }: Commands): void {
  const trash = program
    .command('trash')
    .description('what was deleted and is not gone yet')
    .addHelpText('after', helpText(['busy trash', 'busy trash restore web1/2026-11-22_20-00-05i']));
  trash
    .command('list', { isDefault: true })
    .description('list what is in the trash (the default)')
    .option('--host <host>', 'only what is of this host')
    .addHelpText('after', helpText(['busy trash', 'busy trash list --host web1']))
    .action(action(listTrash));
  trash
    .command('restore')
    .description('put something back to where it was')
    .argument('<entry>', 'its id, HOST/SNAPSHOT, or HOST for a host')
    .addHelpText('after', helpText(['busy trash restore web1/2026-11-22_20-00-05i']))
    .action(action(restoreFromTrash));
  trash
    .command('empty')
    .description('remove something in the trash, or all of it, for good')
    .argument('[entry]', 'its id, HOST/SNAPSHOT, or HOST for a host (default: all)')
    .option('-y, --yes', 'yes, do it')
    .option('--confirm <name>', 'repeat the name of what is removed; "all" for all')
    .addHelpText('after', helpText(['busy trash empty web1/2026-11-22_20-00-05i --yes']))
    .action(action(emptyTrash));
}

async function listTrash(session: Session, { host = '' }: { readonly host?: string }): Promise<void> {
  const { printer, now } = session;
  const entries = await entriesOf(session, host);
  if (printer.isJson) return printer.json(ListTrashResponse.toJSON({ entries, nextPageToken: '' }));
  printer.table(
    ['WHAT', 'KIND', 'DELETED', 'BY', 'GOES', 'ID'],
    entries.map((entry) => [
      nameOf(entry),
      TrashKind[entry.kind]?.toLowerCase() ?? String(entry.kind),
      formatAge(entry.putAt, now()),
      entry.putBy || '-',
      formatTime(entry.goesAt),
      entry.id,
    ]),
    'The trash is empty.',
  );
}

async function restoreFromTrash(session: Session, word: string): Promise<void> {
  const { connection, printer } = session;
  const id = await idOf(session, word);
  const answer = await connection.call(TrashServiceService.restoreFromTrash, { id });
  if (printer.isJson) return printer.json(RestoreFromTrashResponse.toJSON(answer));
  printer.line(`${answer.entry ? nameOf(answer.entry) : word} is back.`);
}

async function emptyTrash(
  session: Session,
  word: string | undefined,
  { yes, confirm }: { readonly yes?: true; readonly confirm?: string },
): Promise<void> {
  const { connection, printer } = session;
  if (!yes && confirm === undefined)
    throw usageError(
      `This removes ${word ?? 'all that is in the trash'} for good.`,
      `To do so: busy trash empty ${word === undefined ? '' : `${word} `}--yes`,
    );
  const id = word === undefined ? '' : await idOf(session, word);
  const answer = await confirmed(session, confirm, (typed) =>
    connection.call(TrashServiceService.emptyTrash, { id, confirm: typed }, emptyTimeoutMs),
  );
  if (printer.isJson) return printer.json(EmptyTrashResponse.toJSON(answer));
  for (const entry of answer.entries) printer.line(`${nameOf(entry)} is gone for good.`);
  const count = answer.entries.length;
  if (count !== 1) printer.line(`${formatCount(count)} were removed; their space is freed meanwhile.`);
}

function entriesOf({ connection }: Session, host: string): Promise<TrashEntry[]> {
  return collectPages(async (page) => {
    const answer = await connection.call(TrashServiceService.listTrash, { ...page, host });
    return { items: answer.entries, nextPageToken: answer.nextPageToken };
  });
}

/** An id as it is; else the id of what bears this name. */
async function idOf(session: Session, word: string): Promise<string> {
  if (/^[0-9A-Z]{26}$/.test(word)) return word;
  const [host = ''] = word.split('/');
  const found = (await entriesOf(session, host)).filter((entry) => nameOf(entry) === word);
  const [only] = found;
  if (only && found.length === 1) return only.id;
  if (!only) throw usageError(`There is no "${word}" in the trash.`, 'List what is there with: busy trash');
  const ids = found.map(({ id, putAt }) => `${id} (${formatTime(putAt)})`).join(', ');
  throw usageError(`"${word}" is in the trash more than once: ${ids}.`, 'Name the one by its id.');
}

function nameOf({ host, snapshot }: TrashEntry): string {
  return snapshot === '' ? host : `${host}/${snapshot}`;
}
