/**
 * The audit log as files in the state directory: `audit.log`, and before it `audit-NUMBER.log` with the number of their
 * first line. They are only ever appended to, and none is removed. Files and not the database, so that the log outlives
 * the database, can be read with nothing but `cat`, and whoever can write to the database cannot rewrite it.
 */
import { Mutex } from 'async-mutex';
import { open, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  emptyHead,
  type AuditEvent,
  type AuditHead,
  type AuditLog,
  type AuditVerdict,
} from '../core/audit.js';
import { isOutOfSpace } from '../core/job-outcome.js';
import type { Clock } from '../core/ports.js';
import { faultPoint } from '../fault-points.js';
import { ChainReader, hashOf, readLine, readSeal, sealLine } from './audit-chain.js';

export interface AuditLogOptions {
  readonly stateDir: string;
  readonly clock: Clock;
  /** Makes room on a full disk; answers whether it could. */
  readonly makeRoom: () => boolean;
  /** So large a file becomes before another is begun. */
  readonly fileBytes?: number;
}

const current = 'audit.log';
const olderPattern = /^audit-\d{12}\.log$/;
const defaultFileBytes = 8 * 1024 * 1024;

/** Reads and writes nothing before it is started, or its first line is to be written. */
export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { stateDir, clock, makeRoom, fileBytes = defaultFileBytes } = options;
  const path = join(stateDir, current);
  const turn = new Mutex();
  let head: AuditHead | null = null;
  /** How long the current file is, with whole lines only. */
  let size = 0;
  let firstOfFile = 1;

  const write = async (before: AuditHead, event: AuditEvent): Promise<AuditHead> => {
    if (size >= fileBytes) await beginFile();
    const { line, head: next } = sealLine(before, clock.now(), event);
    for (;;) {
      try {
        if (size === 0) firstOfFile = next.sequence;
        size = await appendFlushed(path, `${line}\n`, size);
        return next;
      } catch (error) {
        if (!isOutOfSpace(String(error)) || !makeRoom()) throw error;
      }
    }
  };
  const beginFile = async (): Promise<void> => {
    await rename(path, join(stateDir, `audit-${String(firstOfFile).padStart(12, '0')}.log`));
    size = 0;
  };
  const begin = async (): Promise<AuditHead> => {
    const found = await readEnd(stateDir);
    firstOfFile = found.firstOfFile;
    if (found.torn !== '') await appendFlushed(path, '\n', found.size);
    size = found.size + (found.torn === '' ? 0 : 1);
    return write(found.head, { kind: 'started', torn: found.torn === '' ? '' : hashOf(found.torn) });
  };
  return {
    file: path,
    head: () => head,
    start: () =>
      turn.runExclusive(async () => {
        head ??= await begin();
      }),
    append: (event) =>
      turn.runExclusive(async () => {
        head = await write(head ?? (await begin()), event);
        faultPoint('audit line is written');
        return head.sequence;
      }),
    newestFirst: () => newestFirst(stateDir),
    verify: (noted) =>
      turn.runExclusive(async () => {
        const verdict = await verifyFiles(await auditFilesIn(stateDir), noted);
        const last = head ?? verdict.head;
        if (verdict.broken || last.hash === verdict.head.hash) return verdict;
        const problem = `it ends with line ${verdict.head.sequence}, but the daemon wrote line ${last.sequence}: its end was taken off or changed`;
        return { ...verdict, broken: { file: path, line: 0, problem } };
      }),
  };
}

/** Follows the chain through files, oldest first. Throws what the system says when one cannot be read. */
export async function verifyFiles(files: readonly string[], noted: string): Promise<AuditVerdict> {
  const chain = new ChainReader();
  let hasNoted = false;
  let isComplete = true;
  let file = '';
  const verdict = (found: { line: number; problem: string } | null): AuditVerdict => ({
    lines: chain.lines,
    head: chain.head,
    torn: chain.torn,
    hasNoted,
    broken: found && { file, ...found },
  });
  for (file of files) {
    chain.nextFile();
    const text = await readFile(file, 'utf8');
    isComplete = text === '' || text.endsWith('\n');
    for (const line of linesOf(text)) {
      const problem = chain.take(line);
      if (problem) return verdict(problem);
      hasNoted ||= noted !== '' && chain.head.hash === noted;
    }
  }
  return verdict(chain.end(isComplete));
}

async function* newestFirst(stateDir: string): ReturnType<AuditLog['newestFirst']> {
  for (const file of (await auditFilesIn(stateDir)).toReversed()) {
    for (const text of linesOf(await readFile(file, 'utf8')).toReversed()) {
      const line = readLine(text);
      if (line) yield line;
    }
  }
}

/** The files of the log in a directory, oldest first. */
export async function auditFilesIn(stateDir: string): Promise<string[]> {
  const names = await readdir(stateDir);
  const older = names.filter((name) => olderPattern.test(name)).sort();
  return [...older, ...(names.includes(current) ? [current] : [])].map((name) => join(stateDir, name));
}

interface LogEnd {
  readonly head: AuditHead;
  readonly size: number;
  /** What stands behind the last whole line of the current file, without its line end. */
  readonly torn: string;
  readonly firstOfFile: number;
}

async function readEnd(stateDir: string): Promise<LogEnd> {
  const files = await auditFilesIn(stateDir);
  const newest = files.at(-1);
  if (newest === undefined) return { head: emptyHead, size: 0, torn: '', firstOfFile: 1 };
  const text = await readFile(newest, 'utf8');
  const lines = linesOf(text);
  const place = lines.findLastIndex((line) => readSeal(line) !== null);
  const isCurrent = newest.endsWith(`/${current}`);
  if (place < 0 && files.length > 1 && isCurrent) {
    // A crash in the first line of a file: the chain goes on from the file before.
    const before = linesOf(await readFile(files.at(-2) ?? '', 'utf8')).findLast((line) => readSeal(line));
    const head = readSeal(before ?? '') ?? emptyHead;
    return { head, size: await sizeOf(newest), torn: lines.join('\n'), firstOfFile: head.sequence + 1 };
  }
  const { sequence, hash } = readSeal(lines[place] ?? '') ?? emptyHead;
  const first = lines.map(readSeal).find((seal) => seal !== null)?.sequence ?? sequence + 1;
  if (!isCurrent) return { head: { sequence, hash }, size: 0, torn: '', firstOfFile: sequence + 1 };
  const torn = lines.slice(place + 1).join('\n');
  return { head: { sequence, hash }, size: await sizeOf(newest), torn, firstOfFile: first };
}

/** Without the empty one behind the last line end. */
function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Appends and flushes, or leaves the file as long as it was; answers how long it is. */
async function appendFlushed(path: string, text: string, sizeBefore: number): Promise<number> {
  const file = await open(path, 'a', 0o640);
  try {
    await file.appendFile(text);
    await file.datasync();
    return sizeBefore + Buffer.byteLength(text);
  } catch (error) {
    await file.truncate(sizeBefore).catch(() => {});
    throw error;
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path)).size;
}
