/** What all daemons of a soak wrote, in one file, and what must never be in it. */
import { appendFileSync } from 'node:fs';
import { Disagreement } from '../disagreement.js';

const forbidden = [/unhandled/i, /uncaught/i, /MaxListenersExceeded/, /heap out of memory/, /\bINTERNAL\b/];

export class DaemonLogs {
  constructor(readonly file: string) {}

  /** Keeps the log of a daemon that has ended, and throws a Disagreement when it says what none may say. */
  keep(log: string): void {
    appendFileSync(this.file, `${log}\n---- ended ----\n`);
    this.check(log);
  }

  check(log: string): void {
    const line = log.split('\n').find((text) => forbidden.some((pattern) => pattern.test(text)));
    if (line !== undefined) throw new Disagreement(`the log of the daemon says: ${line}`);
  }
}
