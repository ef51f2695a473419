/** Streams that outlive their connection. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, isConnectionLoss } from './cli-error.js';
import type { Session } from './session.js';

const firstDelayMs = 250;
const longestDelayMs = 5_000;
/** A stream may have nothing to say; open for this long it counts as having been back. */
const settledMs = 5_000;

export interface ResumeOptions {
  /** Whether the end of the stream is its end; otherwise it counts as a loss. */
  readonly endsByItself: boolean;
  /** What the user can do when the connection does not come back. */
  readonly advice: string;
  /** Called once a loss. */
  readonly onLost: () => void;
}

/**
 * Iterates what `open` gives; after a loss of the connection it opens again, with growing delays, until
 * `session.reconnectForMs` have passed without success. `open` must begin where the last message ended.
 * Call it only after another call has reached the daemon: a first failure counts as a loss as well.
 * Throws CliError (DAEMON_LOST), or what the stream throws for other reasons.
 */
export async function* resume<T>(
  session: Session,
  open: () => AsyncIterable<T>,
  options: ResumeOptions,
): AsyncGenerator<T, void, undefined> {
  let lostAt: number | null = null;
  let delayMs = firstDelayMs;
  for (;;) {
    const openedAt = session.now().getTime();
    let hasAnswered = false;
    try {
      for await (const message of open()) {
        hasAnswered = true;
        yield message;
      }
      if (options.endsByItself) return;
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
    }
    const now = session.now().getTime();
    if (lostAt === null || hasAnswered || now - openedAt >= settledMs) {
      lostAt = now;
      delayMs = firstDelayMs;
      options.onLost();
    }
    const giveUpAt = lostAt + session.reconnectForMs;
    await sleep(Math.min(delayMs, Math.max(0, giveUpAt - now)), undefined, { signal: session.signal });
    delayMs = Math.min(delayMs * 2, longestDelayMs);
    const isBack = await session.connection.becomesReady(giveUpAt);
    if (!isBack || session.now().getTime() >= giveUpAt) throw lostForGood(session, options.advice);
  }
}

function lostForGood(session: Session, advice: string): CliError {
  const seconds = Math.round(session.reconnectForMs / 1000);
  return new CliError({
    kind: 'no-connection',
    reason: 'DAEMON_LOST',
    message: `The connection to busyd at ${session.connection.endpoint} was lost and did not come back within ${seconds} s.`,
    advice,
    code: 'UNAVAILABLE',
  });
}
