/** The command `download`: files of a snapshot, to standard output or into a file. */
import {
  DownloadFormat,
  DownloadStart,
  type DownloadFilesRequest,
  type DownloadFilesResponse,
} from '../../src/gen/busy/v1/download.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { usageError } from './cli-error.js';
import { openDownloadFile, type DownloadFile } from './download-file.js';
import { exitCodes } from './exit-codes.js';
import { helpText } from './help.js';
import { formatBytes, formatCount } from './human-format.js';
import type { Commands, Session } from './session.js';
import { addAsOfOption, readSnapshotWord, resolveSnapshot, snapshotWordHelp } from './snapshot-word.js';

export function addDownloadCommand({ program, action }: Commands): void {
  const command = program
    .command('download')
    .description('fetch files of a snapshot: one file as it is, all else as a tar.gz')
    .argument('<snapshot>', snapshotWordHelp)
    .argument('<paths...>', 'as they were called on the host; / for all of it')
    .option('-o, --output <file>', 'write it there; a directory gets the name that the daemon proposes')
    .option('--format <format>', 'file, tar or tar.gz')
    .addHelpText(
      'after',
      helpText([
        'busy download web1 /etc/hosts > hosts',
        'busy download web1 /etc /home/anna -o web1.tar.gz',
        'busy download web1 /srv --as-of "2026-11-01 12:00" --format tar | tar xpf - -C /tmp/srv',
      ]),
    );
  addAsOfOption(command).action(action(download));
}

interface Options {
  readonly output?: string;
  readonly format?: string;
  readonly asOf?: string;
}

async function download(
  session: Session,
  word: string,
  paths: readonly string[],
  options: Options,
): Promise<number> {
  const { connection, printer } = session;
  const format = readFormat(options.format);
  if (options.output === undefined) refuseUnfitOutput(session);
  const snapshot = await resolveSnapshot(connection, readSnapshotWord(word), options);
  const request = { host: snapshot.host, snapshot: snapshot.name, paths: [...paths], format };
  const { start, bytes, written } = await receive(session, request, options.output);
  if (printer.isJson) {
    const { host, name } = snapshot;
    printer.json({ host, snapshot: name, output: written, bytes, start: DownloadStart.toJSON(start) });
  } else if (written !== null) {
    printer.line(`${written}: ${formatBytes(bytes)} of ${snapshot.host}/${snapshot.name}`);
  }
  return tellDamage(session, start);
}

interface Received {
  readonly start: DownloadStart;
  readonly bytes: number;
  /** The file; null when it went to standard output. */
  readonly written: string | null;
}

async function receive(
  session: Session,
  request: DownloadFilesRequest,
  output: string | undefined,
): Promise<Received> {
  const { connection, printer, now } = session;
  const startedAt = now().getTime();
  let start = DownloadStart.create();
  let file: DownloadFile | null = null;
  let bytes = 0;
  let toldAt = 0;
  try {
    const stream: AsyncIterable<DownloadFilesResponse> = connection.stream(
      SnapshotServiceService.downloadFiles,
      request,
    );
    for await (const message of stream) {
      if (message.start !== undefined) {
        ({ start } = message);
        if (output !== undefined) file = await openDownloadFile(output, start.name);
      }
      bytes += message.data.length;
      if (file) await file.write(message.data);
      else {
        printer.bytes(message.data);
        await printer.drained(session.signal);
      }
      const time = now().getTime();
      if (time - toldAt < tellEveryMs) continue;
      toldAt = time;
      printer.progress(progressText(start, bytes, time - startedAt));
    }
    const written = file ? await file.finish() : null;
    return { start, bytes, written };
  } finally {
    printer.progress('');
    await file?.close();
  }
}

const tellEveryMs = 250;

function progressText({ name, sizeBytes }: DownloadStart, bytes: number, elapsedMs: number): string {
  const all = sizeBytes === undefined ? '' : ` of ${formatBytes(sizeBytes)}`;
  const rate = formatBytes(Math.round((bytes * 1000) / Math.max(1, elapsedMs)));
  return `${name}: ${formatBytes(bytes)}${all}, ${rate}/s`;
}

/** Throws a usage error. */
function refuseUnfitOutput({ printer }: Session): void {
  if (printer.isJson)
    throw usageError('Files are not printed as JSON.', 'Give --output FILE; the answer then is JSON.');
  if (printer.isTerminal)
    throw usageError(
      'Files are not written to a terminal.',
      'Redirect standard output (> FILE), pipe it on, or give --output FILE.',
    );
}

function readFormat(word: string | undefined): DownloadFormat {
  if (word === undefined) return DownloadFormat.UNSPECIFIED;
  const format = formats[word];
  if (format === undefined) throw usageError(`"${word}" is no format.`, 'Give file, tar or tar.gz.');
  return format;
}

const formats: Readonly<Record<string, DownloadFormat | undefined>> = {
  file: DownloadFormat.FILE,
  tar: DownloadFormat.TAR,
  'tar.gz': DownloadFormat.TAR_GZ,
};

/** All was sent as it is on the disk, and that is not what the host had. */
function tellDamage({ printer }: Session, start: DownloadStart): number {
  const { damagedFileCount, damagedPaths, losses } = start;
  if (losses !== '') printer.note(`Not all could be taken out of the archive: ${losses}`);
  if (damagedFileCount === 0) return losses === '' ? exitCodes.done : exitCodes.partial;
  printer.note(`${formatCount(damagedFileCount)} of the files are known to be damaged on the backup disk:`);
  for (const path of damagedPaths) printer.note(`  ${path}`);
  return exitCodes.partial;
}
