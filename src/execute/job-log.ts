/** The file `job-N.log`: lines go in together, and who adds more than the disk takes is told to wait. */
import { constants, createWriteStream, type WriteStream } from 'node:fs';

/** So much waits for the disk before the writer is told. */
const mostWaitingBytes = 1024 * 1024;

/** An rsync that was broken into may have put a link there: it is not followed. */
const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW;

export class JobLog {
  private readonly file: WriteStream;
  private added: string[] = [];
  private drained: Promise<void> | null = null;
  private settle: (() => void) | null = null;

  /** Appends to what is there. */
  constructor(path: string) {
    // Numbers are taken too, which its type does not say.
    this.file = createWriteStream(path, {
      flags: flags as unknown as string,
      mode: 0o640,
      highWaterMark: mostWaitingBytes,
    });
    // A full disk is told by rsync itself; its log may then be cut.
    this.file.on('error', () => {});
    this.file.on('drain', () => this.letGo());
    this.file.on('close', () => this.letGo());
  }

  /** Adds a line; it waits for `flush`. */
  add(line: string): void {
    this.added.push(line, '\n');
  }

  /**
   * Writes the added lines in one piece. Answers null, or, when too much waits for the disk, a promise that settles
   * when the disk has taken it or cannot be written any more.
   */
  flush(): Promise<void> | null {
    const text = this.added.join('');
    this.added = [];
    if (!this.file.writable) return null;
    if (text !== '') this.file.write(text);
    if (!this.file.writableNeedDrain) return null;
    this.drained ??= new Promise((resolve) => (this.settle = resolve));
    return this.drained;
  }

  async end(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.file.destroyed) resolve();
      else this.file.once('close', resolve).end(this.added.join(''));
    });
  }

  private letGo(): void {
    this.settle?.();
    this.drained = null;
  }
}
