/** Questions on a terminal. */
import { createInterface } from 'node:readline/promises';

/** What a person types after a question, without the line end; empty when he types nothing more. */
export type Ask = (question: string) => Promise<string>;

/** Asks on a terminal; `signal` ends a question that waits. The question does not go where answers are read from. */
export function askOn(input: NodeJS.ReadableStream, output: NodeJS.WritableStream, signal: AbortSignal): Ask {
  return async (question) => {
    const terminal = createInterface({ input, output });
    try {
      const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
      return await Promise.race([terminal.question(question, { signal }), closed]);
    } finally {
      terminal.close();
    }
  };
}
