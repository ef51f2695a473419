/**
 * Writes a snapshot into a tarball with GNU tar: it alone keeps hard links, holes, extended attributes, ACLs, devices,
 * names of any bytes and times to the nanosecond. (The `tar` package truncates on hard links and hangs on a FIFO.) tar
 * starts the compressor itself, so the data never passes through this process.
 */
import { open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { BusyError } from '../core/errors.js';
import { isOutOfSpace } from '../core/job-outcome.js';
import { describeEnding, startProcess } from './process.js';
import { TarFaults } from './tar-words.js';

export interface TarballTask {
  /** The directory of the snapshot. */
  readonly snapshot: string;
  /** Must not exist. */
  readonly tarball: string;
  /** As `Compressor.command`. */
  readonly compressor: string;
  readonly host: string;
}

export interface TarballHooks {
  readonly say: (text: string) => void;
  /** So many bytes of the uncompressed tarball have been written, in all. */
  readonly onBytes: (bytes: number) => void;
}

/** tar counts in these. */
const recordBytes = 10_240;
const recordsPerReport = 500;
const mostSaid = 100;

/**
 * Settles when the tarball is written and flushed. Throws ARCHIVE_DISK_FULL, SNAPSHOT_UNREADABLE, ARCHIVE_FAILED,
 * CANCELLED, and what the file system says.
 */
export async function writeTarball(
  task: TarballTask,
  { say, onBytes }: TarballHooks,
  signal: AbortSignal,
): Promise<void> {
  const file = await open(task.tarball, 'wx', 0o640);
  try {
    // Others go first on the processor.
    const tar = startProcess('nice', ['-n', '19', 'tar', ...tarArguments(task)], signal);
    // Heard from the beginning: a program that cannot be started says so before its output ends.
    const ended = tar.ended.catch((error: unknown) => error as Error);
    tar.stdin.end();
    tar.stdout.resume();
    const words: string[] = [];
    const faults = new TarFaults('writing');
    let said = 0;
    for await (const line of createInterface({ input: tar.stderr })) {
      const records = /^tar: (\d+)$/.exec(line)?.[1];
      if (records !== undefined) onBytes(Number(records) * recordBytes);
      else {
        words.push(line);
        faults.hear(line);
        if (words.length > mostSaid) words.shift();
        if (++said <= mostSaid) say(line);
      }
    }
    const ending = await ended;
    if (signal.aborted) throw new BusyError('CANCELLED');
    if (ending instanceof Error) throw ending;
    // With 1 a file was changed meanwhile, which a new link to it from a running backup does too; what was written is
    // compared in any case, but for extended attributes and ACLs, so nothing may be said of those.
    if (ending.code !== 0 && ending.code !== 1) throw failureOf(task, words, describeEnding(ending));
    if (faults.count > 0) throw incomplete(task, faults);
    await file.sync();
  } catch (error) {
    if (error instanceof BusyError || !isOutOfSpace(String(error))) throw error;
    throw diskFull(task, (error as Error).message);
  } finally {
    await file.close();
  }
}

function tarArguments({ snapshot, tarball, compressor }: TarballTask): string[] {
  return [
    '--create',
    '--format=posix',
    // Times of the last access and of the last change of attributes cannot be given back.
    '--pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f',
    '--xattrs',
    '--xattrs-include=*',
    '--acls',
    '--sparse',
    '--numeric-owner',
    // In the order of a manifest.
    '--sort=name',
    `--checkpoint=${recordsPerReport}`,
    '--checkpoint-action=echo=%u',
    `--use-compress-program=${compressor}`,
    `--file=${tarball}`,
    // A colon in the path would mean another machine.
    '--force-local',
    `--directory=${dirname(snapshot)}`,
    '--',
    basename(snapshot),
  ];
}

function failureOf(task: TarballTask, words: readonly string[], ending: string): BusyError {
  const full = words.find((line) => isOutOfSpace(line));
  if (full !== undefined) return diskFull(task, full);
  const facts = { host: task.host, snapshot: basename(task.snapshot) };
  const unreadable = words.find((line) => /: (Cannot (open|stat|read)|Read error|File shrank)/.test(line));
  if (unreadable !== undefined) return new BusyError('SNAPSHOT_UNREADABLE', { ...facts, detail: unreadable });
  const detail = `tar ended with ${ending}: ${words.at(-1) ?? 'it said nothing'}`;
  return new BusyError('ARCHIVE_FAILED', { ...facts, detail });
}

function incomplete({ host, snapshot }: TarballTask, { first, count }: TarFaults): BusyError {
  const more = count > 1 ? `, and ${count - 1} more that are in the log` : '';
  const detail = `tar could not keep all that is in it: ${first}${more}`;
  return new BusyError('ARCHIVE_FAILED', { host, snapshot: basename(snapshot), detail });
}

function diskFull({ tarball }: TarballTask, detail: string): BusyError {
  return new BusyError('ARCHIVE_DISK_FULL', { archivedir: dirname(tarball), detail });
}
