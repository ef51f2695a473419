/**
 * The pipe into which an rsync on the server writes its report. It writes once or twice for every file, and to be woken
 * up for each of these crumbs took a fourth of the server's CPU time of a backup of small files: so nobody waits at
 * this pipe. It is looked into some dozens of times a second and emptied, and while the taker is behind it is not, so
 * that rsync has to wait when it is full.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BusyError } from '../core/errors.js';
import type { TakeBytes } from './output-batch.js';
import { runProcess } from './process.js';
import { codeOf } from './tree-walk.js';

/** Until the next look, after one that found this: short enough for progress that is shown four times a second. */
const waitMs = { nothing: 60, little: 20, much: 5 } as const;
/** Where a user has many pipes already, Linux gives them 4 KiB instead of 64, which must not hold up rsync. */
const muchBytes = 3 * 1024;
const pipeBytes = 64 * 1024;

export class ReportPipe {
  private readonly ending = new AbortController();
  private readonly watched: Promise<void>;
  private readonly room = Buffer.allocUnsafeSlow(pipeBytes);
  private isOpen = true;
  private isWriterOpen = true;

  private constructor(
    private readonly reader: number,
    /** The descriptor that the rsync is to have as its standard output. */
    readonly writer: number,
    private readonly take: TakeBytes,
  ) {
    this.watched = this.watch();
  }

  /** `take` gets what is written, in pieces. Throws RSYNC_NOT_STARTED. */
  static async open(take: TakeBytes): Promise<ReportPipe> {
    // The memory first: a disk may be full.
    const ends = await makePipe('/dev/shm').catch(() => makePipe(tmpdir()));
    return new ReportPipe(ends.reader, ends.writer, take);
  }

  /** To be called when the rsync has been started, or could not be: it alone writes from now on. */
  letGo(): void {
    if (this.isWriterOpen) closeSync(this.writer);
    this.isWriterOpen = false;
  }

  /** To be called when the rsync has ended: hands on what is left, and closes the pipe. */
  async end(): Promise<void> {
    this.letGo();
    this.ending.abort();
    await this.watched;
    while ((await this.takeOnce()) > 0);
    this.close();
  }

  private async watch(): Promise<void> {
    const { signal } = this.ending;
    let found: keyof typeof waitMs = 'little';
    while (this.isOpen && !signal.aborted) {
      await delay(waitMs[found], undefined, { signal }).catch(() => {});
      const bytes = await this.takeOnce();
      found = bytes === 0 ? 'nothing' : bytes < muchBytes ? 'little' : 'much';
    }
  }

  /** Answers how many bytes were there, when they are dealt with; closes the pipe when it has ended. */
  private async takeOnce(): Promise<number> {
    const bytes = this.read();
    if (bytes) await this.take(bytes);
    return bytes?.length ?? 0;
  }

  private read(): Buffer | null {
    if (!this.isOpen) return null;
    try {
      const count = readSync(this.reader, this.room);
      if (count > 0) return Buffer.from(this.room.subarray(0, count));
      this.close();
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') this.close();
    }
    return null;
  }

  private close(): void {
    if (this.isOpen) closeSync(this.reader);
    this.isOpen = false;
  }
}

/** Node.js has no call that makes a pipe, so it is one with a name, for a moment. Throws RSYNC_NOT_STARTED. */
async function makePipe(place: string): Promise<{ reader: number; writer: number }> {
  let reader: number | undefined;
  let directory: string | undefined;
  try {
    directory = await mkdtemp(join(place, 'busy-report-'));
    const name = join(directory, 'pipe');
    await runProcess('mkfifo', ['-m', '600', name], new AbortController().signal);
    reader = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
    return { reader, writer: openSync(name, constants.O_WRONLY) };
  } catch (error) {
    if (reader !== undefined) closeSync(reader);
    const detail = `no pipe for its report could be made in ${place} (${(error as Error).message})`;
    throw new BusyError('RSYNC_NOT_STARTED', { detail }, { cause: error });
  } finally {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }
}
