/**
 * Sends files of a snapshot: one as it is, or several as a tarball, written by GNU tar with all that it can keep. Those
 * of an archived snapshot are unpacked first, into a scratch directory that is removed when all is sent or the reader leaves.
 * Programs read the disk, so that one that hangs holds up nobody else. What was read is waited for until it is taken,
 * so a slow reader costs no memory; one that leaves ends the programs.
 */
import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { ArchiveRecord } from '../core/archive.js';
import { showPath, type BytePath } from '../core/byte-path.js';
import {
  downloadName,
  withoutNested,
  type DownloadStart,
  type DownloadStep,
  type DownloadTask,
  type ReadFiles,
} from '../core/download.js';
import { BusyError } from '../core/errors.js';
import { readArchive } from './archive-files.js';
import { unpackArchive, type Unpacked } from './archive-unpack.js';
import type { LockHolder } from './backupdir-lock.js';
import { workOnDisk } from './disk-thread.js';
import { unpackOriginal } from './original-unpack.js';
import { describeEnding, startProcess } from './process.js';
import { createScratch, removeScratch } from './scratch.js';
import { isTarFault } from './tar-words.js';

/** What one message carries at most. */
const pieceBytes = 64 * 1024;
const mostComplaints = 64 * 1024;

/** The port ReadFiles. `holder` has the locks on backup directories. */
export function createFileReader(holder: LockHolder): ReadFiles {
  return (task, signal) => readFiles(task, holder, signal);
}

async function* readFiles(
  task: DownloadTask,
  holder: LockHolder,
  signal: AbortSignal,
): AsyncGenerator<DownloadStep> {
  const { host, snapshot, directory } = task;
  if (directory !== null && (await isThere(directory))) {
    const losses = { count: 0, first: '' };
    yield* sendFiles(task, { directory, losses, paths: withoutNested(task.paths) }, signal);
    return;
  }
  const name = { host: host.name, snapshot };
  const archive = host.archivedir === '' ? null : await readArchive(host.archivedir, name);
  if (!archive) throw new BusyError('SNAPSHOT_NOT_FOUND', name);
  const scratch = await createScratch(host, { use: 'download', id: randomUUID() }, holder);
  try {
    yield* sendFiles(task, await unpack(task, { archive, scratch }, signal), signal);
  } finally {
    await removeScratch(scratch);
  }
}

async function unpack(
  { host: { minFree, srcdirs }, paths: wanted }: DownloadTask,
  from: { readonly archive: ArchiveRecord; readonly scratch: string },
  signal: AbortSignal,
): Promise<Sendable> {
  const extraction = { ...from, minFree, say: () => {} };
  const paths = withoutNested(wanted);
  if (from.archive.manifestRoot === 'snapshot')
    return unpackOriginal({ ...extraction, srcdirs, paths }, signal);
  return { paths, ...(await unpackArchive({ ...extraction, entries: paths, parents: [] }, signal)) };
}

async function isThere(directory: string): Promise<boolean> {
  return stat(directory).then(
    () => true,
    () => false,
  );
}

/** `directory` is, or looks like, that of the snapshot. */
interface Sendable extends Unpacked {
  /** None below another. */
  readonly paths: readonly BytePath[];
}

async function* sendFiles(
  task: DownloadTask,
  { directory, paths, losses }: Sendable,
  signal: AbortSignal,
): AsyncGenerator<DownloadStep> {
  const { format } = task;
  const { fileBytes, names, ...damage } = await workOnDisk(
    'download look',
    { directory, paths },
    { signal, isIdle: false, say: () => {}, onProgress: () => {} },
  );
  if (format === 'file' && fileBytes === null) {
    const problem = paths.length > 1 ? 'it is one of several' : 'it is not a regular file';
    throw new BusyError('DOWNLOAD_NOT_ONE_FILE', { path: showPath(paths[0] ?? '/'), problem });
  }
  const sent = format === 'auto' ? (fileBytes === null ? 'tar.gz' : 'file') : format;
  const start: DownloadStart = {
    name: downloadName({ host: task.host.name, snapshot: task.snapshot, paths }, sent),
    format: sent,
    sizeBytes: sent === 'file' ? fileBytes : null,
    ...damage,
    // A file that is sent as it is has nothing but its content.
    losses: sent === 'file' ? '' : wordsOf(losses),
  };
  yield { start };
  const reader = sent === 'file' ? fileReader : tarReader(sent);
  const sentBytes = yield* sendOutput({ ...reader, directory: `${directory}/data`, names }, task, signal);
  if (start.sizeBytes !== null && sentBytes !== start.sizeBytes) {
    const shown = showPath(paths[0] ?? '/');
    throw broken(task, `"${shown}" has ${sentBytes} bytes, not ${start.sizeBytes}`);
  }
}

function wordsOf({ count, first }: Unpacked['losses']): string {
  return count <= 1 ? first : `${first}, and ${count - 1} more like it`;
}

/** A program that gets names (each with a zero byte behind it) and writes what is sent. */
interface Reader {
  readonly args: (data: string) => readonly string[];
  /** Whether a line that it writes to stderr is no fault. */
  readonly isHarmless: (line: string) => boolean;
  /** What it may end with. */
  readonly goodCodes: readonly number[];
}

/** No argument of Node can hold every name; xargs hands it on. */
const fileReader: Reader = {
  args: (data) => [
    'env',
    `--chdir=${data}`,
    'xargs',
    '--null',
    '--replace=NAME',
    'dd',
    'if=./NAME',
    'bs=256K',
    'iflag=nofollow,nonblock',
    'status=none',
  ],
  isHarmless: () => false,
  goodCodes: [0],
};

function tarReader(format: 'tar' | 'tar.gz'): Reader {
  return {
    args: (data) => [
      'tar',
      '--create',
      '--format=posix',
      // Neither the number of a process nor times of the server's disk: the same files make the same tarball.
      '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
      '--xattrs',
      '--xattrs-include=*',
      '--acls',
      '--sparse',
      '--numeric-owner',
      '--atime-preserve=system',
      '--sort=name',
      ...(format === 'tar.gz' ? ['--use-compress-program=gzip'] : []),
      '--file=-',
      `--directory=${data}`,
      // Names are taken as they are: one that begins with a dash is no option.
      '--null',
      '--verbatim-files-from',
      '--files-from=-',
    ],
    // A backup that makes links to a file changes what the disk says of it, though not the file.
    isHarmless: (line) => !isTarFault(line, 'sending'),
    goodCodes: [0, 1],
  };
}

/** Answers how many bytes were sent. Throws DOWNLOAD_BROKEN. */
async function* sendOutput(
  { args, isHarmless, goodCodes, directory, names }: Reader & { directory: string; names: readonly string[] },
  task: DownloadTask,
  signal: AbortSignal,
): AsyncGenerator<DownloadStep, number> {
  const leaving = new AbortController();
  const ends = AbortSignal.any([signal, leaving.signal]);
  const program = startProcess('nice', ['-n', '10', ...args(directory)], ends);
  const complaints = collect(program.stderr);
  program.stdin.end(Buffer.from(names.map((name) => `${name}\0`).join(''), 'latin1'));
  let sentBytes = 0;
  try {
    for await (const bytes of program.stdout as AsyncIterable<Buffer>) {
      for (let at = 0; at < bytes.length; at += pieceBytes)
        yield { data: bytes.subarray(at, at + pieceBytes) };
      sentBytes += bytes.length;
    }
    const [ending, said] = await Promise.all([program.ended, complaints]);
    const fault = said.split('\n').find((line) => line !== '' && !isHarmless(line));
    if (fault !== undefined) throw broken(task, fault);
    if (ending.code === null || !goodCodes.includes(ending.code))
      throw broken(task, `${args(directory)[0]} ended with ${describeEnding(ending)}`);
    return sentBytes;
  } catch (error) {
    throw error instanceof BusyError ? error : broken(task, (error as Error).message);
  } finally {
    leaving.abort();
    program.stdout.destroy();
    await program.ended.catch(() => null);
  }
}

async function collect(stream: Readable): Promise<string> {
  let text = '';
  for await (const bytes of stream as AsyncIterable<Buffer>) {
    if (text.length < mostComplaints) text += bytes.toString('utf8');
  }
  return text;
}

function broken({ snapshot }: DownloadTask, detail: string): BusyError {
  return new BusyError('DOWNLOAD_BROKEN', { snapshot, detail });
}
