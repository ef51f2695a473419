/**
 * The log of a run as its executor writes it: whole lines, appended, in order, and the readers told of growth. A log
 * that cannot be written (its disk is full) does not stop the backup: lines wait for a while, and where some had to be
 * left out, the log says so as soon as it can be written again.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { formatLogLine, missingLinesText } from '../core/log-line.js';
import type { Clock } from '../core/ports.js';
import { copyFresh } from './fresh-file.js';

export interface RunLogFile {
  /** Appends one line; never throws and never waits. */
  say(text: string): void;
  /** Settles when everything that was said is in the file, or cannot be written now. */
  flushed(): Promise<void>;
  close(): Promise<void>;
}

/** More lines than this do not wait for a disk to have space. */
const mostWaiting = 2000;
const retryMs = 1000;

/** Opens a log to append to. `onGrowth` is called after lines have reached the file. */
export function openRunLogFile(file: string, clock: Clock, onGrowth: () => void): RunLogFile {
  return new WaitingLog(file, clock, onGrowth);
}

/** Copies a log to where the snapshot keeps it. A log that never could be written is no fault of the snapshot. */
export async function copyRunLog(file: string, copy: string): Promise<void> {
  const source = await open(file, 'r').catch(() => null);
  if (!source) return;
  await source.close();
  await copyFresh(file, copy);
}

class WaitingLog implements RunLogFile {
  private handle: FileHandle | null = null;
  private waiting: string[] = [];
  private missing = 0;
  /** What is left of lines that were written in part. */
  private rest: Buffer = Buffer.alloc(0);
  private writing: Promise<void> | null = null;
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly file: string,
    private readonly clock: Clock,
    private readonly onGrowth: () => void,
  ) {}

  say(text: string): void {
    if (this.waiting.length >= mostWaiting) {
      this.missing += 1;
      return;
    }
    if (this.missing > 0) this.waiting.push(formatLogLine(this.clock.now(), missingLinesText(this.missing)));
    this.missing = 0;
    this.waiting.push(formatLogLine(this.clock.now(), text));
    if (this.retry === undefined) void this.write();
  }

  async flushed(): Promise<void> {
    await this.write();
    // Lines that came while others were written.
    if (this.waiting.length > 0 && this.retry === undefined) await this.write();
  }

  async close(): Promise<void> {
    await this.flushed();
    if (this.missing > 0 && this.waiting.length === 0) {
      this.waiting.push(formatLogLine(this.clock.now(), missingLinesText(this.missing)));
      await this.write();
    }
    clearTimeout(this.retry);
    await this.handle?.close().catch(() => {});
  }

  private write(): Promise<void> {
    this.writing ??= this.writeAll().finally(() => (this.writing = null));
    return this.writing;
  }

  private async writeAll(): Promise<void> {
    clearTimeout(this.retry);
    this.retry = undefined;
    try {
      this.handle ??= await open(this.file, 'a', 0o640);
      while (this.rest.length > 0 || this.waiting.length > 0) {
        if (this.rest.length === 0) this.rest = Buffer.from(this.waiting.splice(0).join(''));
        const { bytesWritten } = await this.handle.write(this.rest);
        this.rest = this.rest.subarray(bytesWritten);
        this.onGrowth();
      }
    } catch {
      this.retry = setTimeout(() => void this.write(), retryMs);
    }
  }
}
