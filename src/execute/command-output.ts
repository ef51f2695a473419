/** What a script or command of the administrator writes: a bounded number of lines for the log of the run. */
import type { Readable } from 'node:stream';
import { escapeControls } from '../core/log-line.js';
import { LineSplitter } from './rsync-output.js';

/** It may write without end, and neither the memory nor the log may grow with it. */
const mostLines = 1000;
const mostBytes = 256 * 1024;
/** Of what comes after that only the end is kept, for the last line. */
const tailBytes = 2000;
const longestLastLine = 200;

export class CommandOutput {
  private lines = 0;
  private bytes = 0;
  private last = '';
  private tail = Buffer.alloc(0);
  private readonly splitters: LineSplitter[] = [];

  /** `name` stands before each line that is given to `say`. */
  constructor(
    private readonly name: string,
    private readonly say: (text: string) => void,
  ) {}

  /** Takes all that comes from a stream. */
  listen(stream: Readable): void {
    const splitter = new LineSplitter();
    this.splitters.push(splitter);
    stream.on('data', (bytes: Buffer) => {
      if (this.isFull()) this.tail = Buffer.concat([this.tail, bytes]).subarray(-tailBytes);
      else this.hear(splitter.feed(bytes));
    });
  }

  /** The streams have ended: lines without line end are said too. */
  end(): void {
    for (const splitter of this.splitters) this.hear(splitter.end());
    const ending = new LineSplitter();
    this.last = [...ending.feed(this.tail), ...ending.end()].at(-1) ?? this.last;
  }

  /** The last line that is not empty, of either stream, cut and without control characters; for messages. */
  lastLine(): string {
    return escapeControls(asText(this.last).trim()).slice(0, longestLastLine);
  }

  private isFull(): boolean {
    return this.lines >= mostLines || this.bytes >= mostBytes;
  }

  private hear(lines: readonly string[]): void {
    for (const line of lines) {
      this.last = line;
      if (this.isFull()) continue;
      this.lines += 1;
      this.bytes += line.length;
      this.say(`${this.name}: ${asText(line)}`);
      if (this.isFull()) this.say(`${this.name}: … further lines are left out`);
    }
  }
}

/** The splitter keeps every byte as one character. */
function asText(line: string): string {
  return Buffer.from(line, 'latin1').toString('utf8');
}
