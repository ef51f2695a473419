/** What a command works with, and what it is started from. */
import type { Command } from 'commander';
import type { Connection } from './connection.js';
import type { OutputStream, Printer } from './output.js';

/** The outside of the process; only `main.ts` takes it from the real one. */
export interface Io {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  readonly interrupt: AbortSignal;
  readonly now: () => Date;
  readonly version: string;
  /** Milliseconds for which a broken stream is tried again. */
  readonly reconnectForMs: number;
  /** Asks the person at the terminal; null when there is none. */
  /** Asks the user a question and answers what he typed; null where there is no terminal to ask at. */
  readonly ask: ((question: string) => Promise<string>) | null;
}

export interface Session {
  readonly connection: Connection;
  readonly printer: Printer;
  readonly now: () => Date;
  /** Ends everything: Ctrl-C, or the reader of stdout went away. */
  readonly signal: AbortSignal;
  /** Ctrl-C alone. */
  readonly interrupt: AbortSignal;
  readonly reconnectForMs: number;
  readonly ask: Io['ask'];
}

/** Work of a command, given its arguments and options; answers the exit code, or nothing for 0. */
export type Work<Args extends unknown[]> = (session: Session, ...args: Args) => Promise<number | void>;

/** Where commands are added, and how their work gets its session. */
export interface Commands {
  readonly program: Command;
  readonly action: <Args extends unknown[]>(work: Work<Args>) => (...args: Args) => Promise<void>;
}
