/**
 * The pipe into which an rsync on the server writes its report. It writes once or twice for every file, and to be woken
 * up for each of these crumbs took a fourth of the server's CPU time of a backup of small files: so nobody waits at
 * this pipe. It is looked into a few dozen times a second and emptied, and while the taker is behind it is not, so that
 * rsync has to wait when it is full (64 KiB).
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TakeBytes } from './output-batch.js';
import { runProcess } from './process.js';
import { codeOf } from './tree-walk.js';

/** As long as something comes, and else: short enough for progress that is shown four times a second. */
const busyMs = 20;
const idleMs = 60;
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

  /** `take` gets what is written, in pieces. Throws what the system says. */
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
    while (await this.takeOnce());
    this.close();
  }

  private async watch(): Promise<void> {
    const { signal } = this.ending;
    let waitMs = busyMs;
    while (this.isOpen && !signal.aborted) {
      await delay(waitMs, undefined, { signal }).catch(() => {});
      waitMs = (await this.takeOnce()) ? busyMs : idleMs;
    }
  }

  /** Answers whether something was there, when it is dealt with; closes the pipe when it has ended. */
  private async takeOnce(): Promise<boolean> {
    const bytes = this.read();
    if (bytes === null) return false;
    await this.take(bytes);
    return true;
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

/** Node.js has no call that makes a pipe, so it is one with a name, for a moment. */
async function makePipe(place: string): Promise<{ reader: number; writer: number }> {
  const directory = await mkdtemp(join(place, 'busy-report-'));
  try {
    const name = join(directory, 'pipe');
    await runProcess('mkfifo', ['-m', '600', name], new AbortController().signal);
    const reader = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
    return { reader, writer: openSync(name, constants.O_WRONLY) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
