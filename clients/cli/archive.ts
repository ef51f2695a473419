/** The commands `archive`, `archives`, `archive-verify` and `archive-delete`. */
import {
  Archive,
  ArchiveFormat,
  ArchiveResponse,
  ArchiveServiceService,
  DeleteArchiveResponse,
  VerifyArchiveResponse,
} from '../../src/gen/busy/v1/archive_service.js';
import { Run } from '../../src/gen/busy/v1/run.js';
import { usageError } from './cli-error.js';
import { followRun } from './follow.js';
import { helpText } from './help.js';
import { formatAge, formatBytes, formatTime } from './human-format.js';
import type { Cell } from './output.js';
import { collectPages } from './pages.js';
import type { Commands, Session } from './session.js';
import {
  addAsOfOption,
  nameSnapshot,
  readAsOf,
  readSnapshotWord,
  type AsOfOption,
  type SnapshotWord,
} from './snapshot-word.js';
import { runStateCell } from './states.js';

/** What --as-of means of archives. */
const newest = 'the archive of the newest archived snapshot';

const sample = '2026-11-22_20-00-05f';

export function addArchiveCommands({ program, action }: Commands): void {
  addAsOfOption(program.command('archive'))
    .description('turn a snapshot, or all of a host that are older than max_age, into compressed tarballs')
    .argument('<host>', 'the host; or HOST/SNAPSHOT')
    .argument('[snapshot]', 'only this snapshot, whatever its age')
    .option('--follow', 'show log and progress until the run has ended')
    .option('--request-id <id>', 'the same id answers the same run again')
    .addHelpText('after', helpText(['busy archive web1 --follow', `busy archive web1/${sample}`], true))
    .action(action(startArchive));
  program
    .command('archives')
    .description('list archives, newest snapshot first')
    .argument('[host]', 'only of this host')
    .addHelpText('after', helpText(['busy archives web1']))
    .action(action(listArchives));
  addAsOfOption(program.command('archive-verify'), newest)
    .description('read an archive, or all of a host, in full and compare it with its manifest')
    .argument('<host>', 'the host; or HOST/SNAPSHOT')
    .argument('[snapshot]', 'only the archive of this snapshot')
    .option('--no-follow', 'start it and come back at once')
    .option('--request-id <id>', 'the same id answers the same run again')
    .addHelpText('after', helpText(['busy archive-verify web1', `busy archive-verify web1/${sample}`], true))
    .action(action(verifyArchive));
  addAsOfOption(program.command('archive-delete'), newest)
    .description('move an archive and its copy to the trash')
    .argument('<host>', 'HOST/SNAPSHOT, or the host')
    .argument('[snapshot]', 'the snapshot that it was made of')
    .option('-y, --yes', 'yes, do it; without it only says what would go')
    .addHelpText('after', helpText([`busy archive-delete web1/${sample} --yes`]))
    .action(action(deleteArchive));
}

interface StartOptions extends AsOfOption {
  readonly follow?: boolean;
  readonly requestId?: string;
}

async function startArchive(
  session: Session,
  word: string,
  given: string | undefined,
  { follow = false, requestId = '', asOf }: StartOptions,
): Promise<number | void> {
  const { connection, printer } = session;
  const { host, name } = await nameSnapshot(connection, readSnapshotWord(word, given), { asOf });
  const request = { host, name, requestId };
  const answer = await connection.call(ArchiveServiceService.archive, request);
  if (follow) return followRun(session, answer.run ?? Run.create());
  if (printer.isJson) return printer.json(ArchiveResponse.toJSON(answer));
  sayStarted(session, answer.run);
}

async function verifyArchive(
  session: Session,
  word: string,
  given: string | undefined,
  { follow = true, requestId = '', asOf }: StartOptions,
): Promise<number | void> {
  const { connection, printer } = session;
  const { host, name } = await nameArchive(session, readSnapshotWord(word, given), { asOf });
  const request = { host, name, requestId };
  const answer = await connection.call(ArchiveServiceService.verifyArchive, request);
  if (follow) return followRun(session, answer.run ?? Run.create());
  if (printer.isJson) return printer.json(VerifyArchiveResponse.toJSON(answer));
  sayStarted(session, answer.run);
}

function sayStarted({ printer }: Session, started: Run | undefined): void {
  const run = started ?? Run.create();
  printer.line(`Run ${run.id} of ${run.host} is `, runStateCell(run.state));
  printer.line(`  Follow it with: busy logs ${run.id} --follow`);
}

async function listArchives({ connection, printer, now }: Session, host: string = ''): Promise<void> {
  const archives = await collectPages(async (page) => {
    const answer = await connection.call(ArchiveServiceService.listArchives, { ...page, host });
    return { items: answer.archives, nextPageToken: answer.nextPageToken };
  });
  if (printer.isJson) return printer.json({ archives: archives.map((archive) => Archive.toJSON(archive)) });
  printer.table(
    ['HOST', 'SNAPSHOT', 'AGE', 'FORMAT', 'SIZE', 'CONTENT', 'ARCHIVED', 'VERIFIED', 'COPY'],
    archives.map((archive) => [
      archive.host,
      archive.name,
      formatAge(archive.snapshot?.startedAt, now()),
      formatName(archive.format),
      formatBytes(archive.bytes),
      archive.manifest === undefined ? '-' : formatBytes(archive.manifest.bytes),
      formatTime(archive.archivedAt),
      verifiedCell(archive, now()),
      archive.copyPath === '' ? '-' : archive.copyPath,
    ]),
    'There are no archives.',
  );
}

/** The archive that is meant; only a time has to be looked up. Throws a usage error, or what the daemon says. */
async function nameArchive(
  { connection }: Session,
  named: SnapshotWord,
  { asOf }: AsOfOption,
): Promise<SnapshotWord> {
  const time = readAsOf(named, { asOf });
  if (time === undefined) return named;
  const request = { ...named, asOf: time };
  const { archive } = await connection.call(ArchiveServiceService.getArchive, request);
  const { host, name } = archive ?? Archive.create();
  return { host, name };
}

async function deleteArchive(
  session: Session,
  word: string,
  given: string | undefined,
  { yes = false, asOf }: AsOfOption & { readonly yes?: boolean },
): Promise<void> {
  const { connection, printer } = session;
  const target = await nameArchive(session, readSnapshotWord(word, given), { asOf });
  if (target.name === '')
    throw usageError('No archive is named.', `Give HOST/SNAPSHOT or --as-of, see: busy archives ${word}`);
  if (!yes) {
    const { archive } = await connection.call(ArchiveServiceService.getArchive, {
      ...target,
      asOf: undefined,
    });
    const { path, bytes } = archive ?? Archive.create();
    throw usageError(
      `${path} (${formatBytes(bytes)}) would be moved to the trash.`,
      `To do so: busy archive-delete ${target.host}/${target.name} --yes`,
    );
  }
  const answer = await connection.call(ArchiveServiceService.deleteArchive, target);
  if (printer.isJson) return printer.json(DeleteArchiveResponse.toJSON(answer));
  const name = `${target.host}/${target.name}`;
  if (answer.entry) {
    printer.line(`The archive ${name} is in the trash until ${formatTime(answer.entry.goesAt)}.`);
    printer.line(`It comes back with: busy trash restore ${name}`);
  } else {
    printer.line(`${answer.archive?.path ?? ''} was not there any more; it is out of the records now.`);
  }
  if (answer.leftBehind !== '') printer.line(`  But ${answer.leftBehind}`);
}

function formatName(format: ArchiveFormat): string {
  const names: Readonly<Record<number, string>> = {
    [ArchiveFormat.TAR_GZ]: 'tar.gz',
    [ArchiveFormat.TAR_ZST]: 'tar.zst',
  };
  return names[format] ?? String(format);
}

function verifiedCell({ damage, verifiedAt }: Archive, now: Date): Cell {
  if (damage !== '') return { text: 'DAMAGED', colour: 'red' };
  return verifiedAt === undefined ? 'never' : formatAge(verifiedAt, now);
}
