/** Runs the command line client inside the test, with streams that keep what was written. */
import { Writable } from 'node:stream';
import { run } from '../../../clients/cli/run.js';
import type { Io } from '../../../clients/cli/session.js';

export interface Result {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly endpoint?: string;
  readonly io?: Partial<Io>;
  readonly isTerminal?: boolean;
  /** Called with all of stdout after each write. */
  readonly onStdout?: (text: string) => void;
}

export async function cli(argv: string[], options: CliOptions = {}): Promise<Result> {
  const stdout = new Recorder(options.isTerminal ?? false, options.onStdout);
  const stderr = new Recorder(false);
  const exitCode = await run(argv, {
    stdout,
    stderr,
    env: options.endpoint === undefined ? {} : { BUSY_SERVER: options.endpoint },
    interrupt: new AbortController().signal,
    now: () => new Date(),
    version: '1.2.3',
    reconnectForMs: 20_000,
    ask: null,
    ...options.io,
  });
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

class Recorder extends Writable {
  readonly isTTY: boolean;
  readonly columns = 60;
  text = '';
  readonly #onText: ((text: string) => void) | undefined;

  constructor(isTTY: boolean, onText?: (text: string) => void) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
    this.#onText = onText;
  }

  override _write(chunk: string, _encoding: BufferEncoding, callback: () => void): void {
    this.text += chunk;
    this.#onText?.(this.text);
    callback();
  }
}
