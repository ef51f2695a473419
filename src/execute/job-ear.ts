/**
 * Hears what one rsync says: everything goes into `job-N.log` in the snapshot, and what counts becomes facts. A host
 * may say as much as it likes: what is kept is bounded, and when the disk of the log is slower than the host, the
 * host waits.
 */
import { join } from 'node:path';
import type { FileProblem } from '../core/job-outcome.js';
import { noTransfer, type TransferStats } from '../core/snapshot.js';
import type { StartRsync } from './confinement.js';
import { JobLog } from './job-log.js';
import type { LinkCounter } from './link-counter.js';
import type { TransferPlan } from './rsync-args.js';
import {
  LineSplitter,
  parseRsyncLine,
  withoutOldProgress,
  type RsyncEvent,
  type RsyncFileError,
} from './rsync-output.js';

/** Where what is heard is told. */
export interface Listeners {
  /** The partial snapshot. */
  readonly directory: string;
  /** How the rsync is started. */
  readonly startRsync: Pick<StartRsync, 'seenFromOutside'>;
  /** A line for the log of the run. */
  readonly say: (text: string) => void;
  onEvent(jobNumber: number, event: RsyncEvent): void;
}

/** More of one job are counted, but only job-N.log names them. */
const mostProblems = 100_000;
/** A name may be as long as a line. */
const mostProblemCharacters = 16 * 1024 * 1024;
const mostLastWords = 5;
const longestLastWord = 2000;

/** The log of the run gets so many lines of a job, cut to so many characters; job-N.log so many bytes. */
const mostLinesSaid = 1000;
const longestLineSaid = 8000;
const mostMessageBytes = 64 * 1024 * 1024;

/** Collects what one rsync says. */
export class JobEar {
  readonly problems: FileProblem[] = [];
  readonly lastWords: string[] = [];
  problemsNotKept = 0;
  stats: TransferStats | null = null;
  private readonly seen = new Set<string>();
  private readonly report = new LineSplitter();
  private readonly errors = new LineSplitter();
  private readonly log: JobLog;
  private problemCharacters = 0;
  private linesSaid = 0;
  private messageBytes = 0;

  constructor(
    private readonly listeners: Listeners,
    private readonly number: number,
    private readonly plan: TransferPlan,
    private readonly copies: { readonly links: LinkCounter; readonly onCopied: () => void },
  ) {
    this.log = new JobLog(join(listeners.directory, `job-${number}.log`));
  }

  /** Both answer a promise when the log is behind: nothing more should come before it settles. */
  readonly onReport = (bytes: Buffer): Promise<void> | null => this.hear(this.report.feed(bytes), false);
  readonly onError = (bytes: Buffer): Promise<void> | null => this.hear(this.errors.feed(bytes), true);

  async end(): Promise<void> {
    void this.hear(this.report.end(), false);
    void this.hear(this.errors.end(), true);
    await this.log.end();
  }

  private hear(lines: readonly string[], isError: boolean): Promise<void> | null {
    const { startRsync } = this.listeners;
    for (const line of withoutOldProgress(lines))
      for (const event of parseRsyncLine(startRsync.seenFromOutside(line))) this.take(event, isError);
    this.copies.onCopied();
    return this.log.flush();
  }

  private take(event: RsyncEvent, isError: boolean): void {
    this.listeners.onEvent(this.number, event);
    switch (event.kind) {
      case 'progress':
      case 'checked':
        return;
      case 'item':
        this.copies.links.take(event);
        this.log.add(`${event.change} ${event.path}`);
        return;
      case 'stats':
        this.stats = { ...(this.stats ?? noTransfer), ...event.stats };
        this.log.add(event.line);
        return;
      case 'fileError':
        this.takeProblem(event.error);
        this.sayError(event.line);
        return;
      case 'ending':
        this.sayError(event.line);
        return;
      case 'message':
        if (isError) this.sayError(event.line);
        else this.writeMessage(event.line);
        return;
      default:
        event satisfies never;
    }
  }

  private sayError(line: string): void {
    this.writeMessage(line);
    if (this.linesSaid < mostLinesSaid)
      this.listeners.say(`job ${this.number}: ${cut(line, longestLineSaid)}`);
    if (this.linesSaid === mostLinesSaid)
      this.listeners.say(`job ${this.number}: more is in job-${this.number}.log`);
    this.linesSaid += 1;
    this.lastWords.push(cut(line, longestLastWord));
    if (this.lastWords.length > mostLastWords) this.lastWords.shift();
  }

  private writeMessage(line: string): void {
    const hadRoom = this.messageBytes <= mostMessageBytes;
    this.messageBytes += line.length + 1;
    if (this.messageBytes <= mostMessageBytes) this.log.add(line);
    else if (hadRoom) this.log.add('[further messages are left out]');
  }

  private takeProblem(error: RsyncFileError): void {
    const { source, destination } = this.plan;
    const isOurs = error.side === 'receiver' || error.path.startsWith(`${destination}/`);
    const path = isOurs ? onHost(error.path, source, destination) : error.path;
    if (this.seen.has(path)) return;
    const isFull =
      this.problems.length >= mostProblems ||
      this.problemCharacters + path.length + error.why.length > mostProblemCharacters;
    if (isFull) {
      this.problemsNotKept += 1;
      return;
    }
    this.problemCharacters += path.length + error.why.length;
    const kept = ownCopy(path);
    this.seen.add(kept);
    this.problems.push({ path: kept, why: ownCopy(error.why), isOurs });
  }
}

function cut(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}

/** A part of a string keeps all of the string it was cut from in memory; this keeps the part alone. */
function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}

/** The path on the host of a path below the destination; rsync's temporary names lose their decoration. */
function onHost(path: string, source: string, destination: string): string {
  const below = path.startsWith(destination) ? path.slice(destination.length) : `/${path}`;
  return `${source === '/' ? '' : source}${below}`.replace(/\/\.([^/]+)\.[A-Za-z0-9]{6}$/, '/$1');
}
