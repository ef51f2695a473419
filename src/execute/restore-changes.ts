/** Hears what an rsync that restores says: counts the changes, keeps the first, and puts all of them into the log. */
import type { BytePath } from '../core/byte-path.js';
import { changesKept, noChanges, type RestoreChange, type RestoreCounts } from '../core/restore.js';
import type { RunLogFile } from './run-log-file.js';
import { bytesOfName, LineSplitter, parseRsyncLine, type RsyncEvent } from './rsync-output.js';

/** With more lines that wait for the log rsync waits too. */
const mostWaiting = 1000;
const mostLastWords = 5;

/** A directory that is made. */
const madePattern = /cd\+{9} \d+ (.*)\/$/;

const signs = { created: '+', changed: '~', deleted: '-' } as const;

/** The changes of all calls of a restore together. */
export class RestoreChanges {
  readonly first: RestoreChange[] = [];
  private waiting: string[] = [];
  private writing: Promise<void> | null = null;
  counts: RestoreCounts = noChanges;
  /** Those of earlier calls. */
  private before: RestoreCounts = noChanges;
  count = 0;

  constructor(private readonly log: RunLogFile) {}

  /** A further call of rsync begins, of which there are totals at its end. */
  beginCall(): void {
    this.before = this.counts;
  }

  add(change: RestoreChange): void {
    if (this.first.length < changesKept) this.first.push(change);
    this.count += 1;
    this.counts = { ...this.counts, [change.kind]: this.counts[change.kind] + 1 };
    this.waiting.push(`${signs[change.kind]} ${change.path}`);
    this.writing ??= this.write().finally(() => (this.writing = null));
  }

  /** What rsync counted at the end of a call. */
  addTotals({ bytes, entries }: { readonly bytes: number; readonly entries: number }): void {
    const { created, changed, skipped } = this.counts;
    const done = created + changed - this.before.created - this.before.changed;
    this.counts = {
      ...this.counts,
      bytes: this.counts.bytes + bytes,
      skipped: skipped + Math.max(0, entries - done),
    };
  }

  /** A promise while more lines wait than should; it settles when they are in the log. */
  behind(): Promise<void> | null {
    return this.waiting.length > mostWaiting ? this.flushed() : null;
  }

  /** Settles when all lines are in the log. */
  async flushed(): Promise<void> {
    while (this.writing) await this.writing;
  }

  private async write(): Promise<void> {
    while (this.waiting.length > 0) {
      for (const line of this.waiting.splice(0, mostWaiting)) this.log.say(line);
      await this.log.flushed();
    }
  }
}

/** Collects what one call of rsync says. */
export class RestoreEar {
  readonly lastWords: string[] = [];
  firstProblem: string | null = null;
  problemCount = 0;
  entries = 0;
  bytes = 0;
  private readonly report = new LineSplitter();
  private readonly errors = new LineSplitter();

  constructor(
    private readonly taker: {
      readonly onEvent: (event: RsyncEvent) => void;
      readonly onItem: (change: RestoreChange) => void;
      /** Gets each directory that is made, absolute. */
      readonly onMade: ((path: BytePath) => void) | undefined;
      readonly say: (text: string) => void;
      /** A promise while nothing more should be said. */
      readonly behind: () => Promise<void> | null;
    },
  ) {}

  readonly onReport = (bytes: Buffer): Promise<void> | null => this.hear(this.report.feed(bytes), false);
  readonly onError = (bytes: Buffer): Promise<void> | null => this.hear(this.errors.feed(bytes), true);

  end(): void {
    void this.hear(this.report.end(), false);
    void this.hear(this.errors.end(), true);
  }

  private hear(lines: readonly string[], isError: boolean): Promise<void> | null {
    for (const line of lines) {
      const made = madePattern.exec(line)?.[1];
      if (made !== undefined) this.taker.onMade?.(`/${bytesOfName(made)}`);
      for (const event of parseRsyncLine(line)) this.take(event, isError);
    }
    return this.taker.behind();
  }

  private take(event: RsyncEvent, isError: boolean): void {
    this.taker.onEvent(event);
    switch (event.kind) {
      case 'item':
        this.taker.onItem(changeOf(event));
        return;
      case 'stats':
        this.entries = event.stats.fileCount ?? this.entries;
        this.bytes = event.stats.transferredBytes ?? this.bytes;
        return;
      case 'fileError':
        this.firstProblem ??= `${event.error.path}: ${event.error.why}`;
        this.problemCount += 1;
        this.sayError(event.line);
        return;
      case 'ending':
        this.sayError(event.line);
        return;
      case 'message':
        if (isError) this.sayError(event.line);
        return;
      case 'progress':
      case 'checked':
        return;
      default:
        event satisfies never;
    }
  }

  private sayError(line: string): void {
    this.taker.say(line);
    this.lastWords.push(line);
    if (this.lastWords.length > mostLastWords) this.lastWords.shift();
  }
}

function changeOf({ change, size, path }: Extract<RsyncEvent, { kind: 'item' }>): RestoreChange {
  const kind = change.startsWith('*deleting')
    ? 'deleted'
    : change.endsWith('+++++++++')
      ? 'created'
      : 'changed';
  return { kind, path, bytes: size };
}
