/** Who follows what the daemon does: one who is well, some who are slow, and some who are lost. */
import { setTimeout as delay } from 'node:timers/promises';
import { credentials, type ClientReadableStream } from '@grpc/grpc-js';
import {
  BackupServiceClient,
  type StreamLogsResponse,
  type WatchRunsResponse,
} from '../../../src/gen/busy/v1/backup_service.js';
import type { Run, RunState } from '../../../src/gen/busy/v1/run.js';
import { hasEnded } from '../../helpers/test-bed.js';
import { Disagreement } from '../disagreement.js';
import type { Random } from '../random.js';

const retryMs = 300;

export class Subscribers {
  /** How each run ended, as the healthy one was told. */
  readonly endings = new Map<string, RunState>();
  linesRead = 0;
  private revision = 1;
  private isOver = false;
  private readonly open = new Set<() => void>();

  constructor(
    private readonly socket: string,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Follows all runs from the beginning, and goes on where it was after each end of the stream. */
  async watch(): Promise<void> {
    while (!this.isOver) {
      await this.read(
        (client) => client.watchRuns({ afterRevision: this.revision, host: '', runId: '' }),
        async ({ run }: WatchRunsResponse) => {
          if (!run) return;
          this.revision = Math.max(this.revision, run.revision);
          if (hasEnded(run)) this.endings.set(run.id, run.state);
        },
      );
      await delay(retryMs);
    }
  }

  /**
   * Reads a log with pauses; each line must come once and in order, and the last one before the stream ends. A lost one
   * vanishes in the middle.
   */
  async readLog(run: Run, random: Random): Promise<void> {
    const pauseMs = random.pick([0, 200, 3000]);
    const most = random.chance(0.3) ? random.below(4) : Infinity;
    let next = 0;
    let messages = 0;
    const hasAll = await this.read(
      (client) => client.streamLogs({ runId: run.id, offset: 0, follow: true }),
      async ({ offset, nextOffset, lines }: StreamLogsResponse) => {
        if (offset !== next)
          throw new Disagreement(`the log of run ${run.id} goes on at ${offset} and not at ${next}`);
        next = nextOffset;
        this.linesRead += lines.length;
        messages += 1;
        if (messages > most) return 'lost';
        if (pauseMs > 0) await delay(pauseMs);
        return 'more';
      },
    );
    if (hasAll) await this.checkNothingFollows(run, next);
  }

  private async checkNothingFollows(run: Run, offset: number): Promise<void> {
    await this.read(
      (client) => client.streamLogs({ runId: run.id, offset, follow: false }),
      async ({ lines: [line] }: StreamLogsResponse) => {
        if (line === undefined) return;
        throw new Disagreement(`the log of run ${run.id} was said to end at ${offset}, but goes on: ${line}`);
      },
    );
  }

  /** Asks to be told of everything, and takes nothing for so long. */
  async takeNothing(ms: number): Promise<void> {
    const client = this.client();
    const stream = client.watchRuns({ afterRevision: 1, host: '', runId: '' });
    stream.on('error', () => {});
    stream.pause();
    const end = this.hold(() => client.close());
    await Promise.race([delay(ms, undefined, { ref: false }), this.over]);
    stream.cancel();
    end();
  }

  end(): void {
    this.isOver = true;
    this.ends();
    for (const close of this.open) close();
  }

  private ends: () => void = () => {};
  private readonly over = new Promise<void>((resolve) => (this.ends = resolve));

  private client(): BackupServiceClient {
    return new BackupServiceClient(`unix:${this.socket}`, credentials.createInsecure());
  }

  /** Answers whether the stream has come to its own end. */
  private async read<Message>(
    begin: (client: BackupServiceClient) => ClientReadableStream<Message>,
    take: (message: Message) => Promise<'more' | 'lost' | void>,
  ): Promise<boolean> {
    const client = this.client();
    const stream = begin(client);
    stream.on('error', () => {});
    const end = this.hold(() => stream.cancel());
    try {
      for await (const message of stream) if ((await take(message as Message)) === 'lost') return false;
      return !this.isOver;
    } catch (error) {
      // Else it is the end of the daemon, or of the stream by our own hand.
      if (error instanceof Disagreement) this.onError(error);
      return false;
    } finally {
      stream.cancel();
      end();
      client.close();
    }
  }

  private hold(close: () => void): () => void {
    this.open.add(close);
    return () => this.open.delete(close);
  }
}
