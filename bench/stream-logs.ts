import { credentials } from '@grpc/grpc-js';
import { BackupServiceClient, type StreamLogsResponse } from '../src/gen/busy/v1/backup_service.js';
import type { StoredLog } from './stock.js';

export interface LogThroughput {
  /** To all subscribers together. */
  readonly linesPerSecond: number;
}

/** Streams a whole log to some subscribers at once, each with a connection of its own. Throws when a line is lost. */
export async function measureStreamLogs(
  socket: string,
  log: StoredLog,
  subscribers: number,
): Promise<LogThroughput> {
  const clients = Array.from(
    { length: subscribers },
    () =>
      new BackupServiceClient(`unix:${socket}`, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
      }),
  );
  try {
    const startedAt = performance.now();
    const counts = await Promise.all(clients.map((client) => countLines(client, log.runId)));
    const seconds = (performance.now() - startedAt) / 1000;
    if (counts.some((count) => count !== log.lineCount)) {
      throw new Error(`A subscriber got ${Math.min(...counts)} of ${log.lineCount} lines.`);
    }
    return { linesPerSecond: (subscribers * log.lineCount) / seconds };
  } finally {
    for (const client of clients) client.close();
  }
}

async function countLines(client: BackupServiceClient, runId: string): Promise<number> {
  let count = 0;
  const stream = client.streamLogs({ runId, offset: 0, follow: true });
  for await (const message of stream as AsyncIterable<StreamLogsResponse>) count += message.lines.length;
  return count;
}
