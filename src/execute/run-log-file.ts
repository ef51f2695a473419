/** The log of a run as its executor writes it: whole lines, appended, in order, and the readers told of growth. */
import { createWriteStream } from 'node:fs';
import { formatLogLine } from '../core/log-line.js';
import type { Clock } from '../core/ports.js';

export interface RunLogFile {
  /** Appends one line; never throws and never waits. */
  say(text: string): void;
  /** Settles when everything that was said is in the file. */
  flushed(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a log to append to. `onGrowth` is called after lines have reached the file. */
export function openRunLogFile(file: string, clock: Clock, onGrowth: () => void): RunLogFile {
  const stream = createWriteStream(file, { flags: 'a', mode: 0o640 });
  // A full state disk must not end a backup: the lines are lost, the backup is not.
  stream.on('error', () => {});
  const written = (text: string): Promise<void> =>
    new Promise((resolve) => {
      stream.write(text, () => resolve());
    });
  return {
    say: (text) => void stream.write(formatLogLine(clock.now(), text), onGrowth),
    flushed: () => written(''),
    close: () =>
      new Promise((resolve) => {
        if (stream.destroyed) resolve();
        else stream.once('close', resolve).end();
      }),
  };
}
