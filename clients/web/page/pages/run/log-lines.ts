/** The log of a run as it is read: every line once, also when the connection is lost in between. */
import type { Client } from '@connectrpc/connect';
import type { BackupService } from '../../../gen/busy/v1/backup_service_pb.js';

type LogSource = Pick<Client<typeof BackupService>, 'streamLogs'>;

/** A page holds so many lines; of a longer log the last ones. The download has all. */
export const mostLines = 20_000;
const waitMs = 1000;

/**
 * Hands over lines as they come until the log has ended or `signal` is aborted. Throws what the daemon refuses; a lost
 * connection is taken up again where it was.
 */
export async function readLog(
  source: LogSource,
  runId: string,
  options: {
    readonly signal: AbortSignal;
    readonly onLines: (lines: readonly string[]) => void;
    readonly isWorthTryingAgain: (error: unknown) => boolean;
  },
): Promise<void> {
  const { signal, onLines, isWorthTryingAgain } = options;
  let offset = 0n;
  while (!signal.aborted) {
    try {
      for await (const part of source.streamLogs({ runId, offset, follow: true }, { signal })) {
        offset = part.nextOffset;
        onLines(part.lines);
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!isWorthTryingAgain(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}
