/**
 * One job: one rsync call for one source directory. Everything that rsync says goes into `job-N.log` in the
 * snapshot; what counts is turned into facts, and `core/job-outcome.ts` decides what they mean.
 */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { BusyError, toFailure } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { missingFilesOf, outcomeOfJob, type FileProblem, type JobFacts } from '../core/job-outcome.js';
import type { Clock } from '../core/ports.js';
import { missingFilesKept, type JobRecord, type MissingFile } from '../core/run.js';
import { noTransfer, type TransferStats } from '../core/snapshot.js';
import { AttributeWatch } from './attribute-watch.js';
import { startFailure, transfer, type TransferEnding } from './bridge.js';
import { Flow } from './flow.js';
import { LinkCounter } from './link-counter.js';
import type { TransferPlan } from './rsync-args.js';
import { LineSplitter, parseRsyncLine, type RsyncEvent, type RsyncFileError } from './rsync-output.js';
import type { SshConnection } from './ssh.js';
import { watchForStall } from './stall.js';

export interface JobContext {
  readonly host: Host;
  readonly connection: SshConnection;
  /** The partial snapshot. */
  readonly directory: string;
  readonly clock: Clock;
  /** Bytes of the source in the newest good snapshot; null: a mass change of attributes is no reason to end it. */
  readonly bytesBefore: number | null;
  /** Ends all jobs, with a BusyError as its reason. */
  readonly diskLow: AbortSignal;
  /** A line for the log of the run. */
  readonly say: (text: string) => void;
  onEvent(jobNumber: number, event: RsyncEvent): void;
}

export interface EndedJob {
  readonly record: JobRecord;
  /** All files that are missing from the snapshot. */
  readonly missingFiles: readonly MissingFile[];
}

/** More than this of one job are counted, but only job-N.log names them. */
const mostProblems = 100_000;
const mostLastWords = 5;

/** A host may complain without end: the log of the run gets so many lines of a job, job-N.log so many bytes. */
const mostLinesSaid = 1000;
const mostMessageBytes = 64 * 1024 * 1024;

/** Carries one job out. Never throws for what happens to the job; the record tells. */
export async function runJob(
  context: JobContext,
  number: number,
  plan: TransferPlan,
  signal: AbortSignal,
): Promise<EndedJob> {
  const { diskLow } = context;
  const links = new LinkCounter();
  const flow = new Flow();
  const watch = new AttributeWatch({
    host: context.host,
    connection: context.connection,
    plan,
    links,
    bytesBefore: context.bytesBefore,
    scratch: join(context.directory, `compare-${number}`),
    flow,
    say: context.say,
    onTraffic: () => stall.onTraffic(),
  });
  const heard = new JobEar(context, number, plan, { links, onCopied: () => watch.look() });
  const stall = watchForStall(
    context.host,
    context.clock,
    AbortSignal.any([signal, diskLow, watch.tooMuch.signal]),
  );
  let lost: string | null = null;
  let ending: TransferEnding | null = null;
  let failure: BusyError | null = null;
  void context.connection.closed.then((reason) => (lost = reason));
  try {
    const output = { onReport: heard.onReport, onError: heard.onError, onTraffic: stall.onTraffic, flow };
    ending = await transfer(context.host, context.connection, plan, output, stall.signal);
  } catch (error) {
    failure = startFailure(error);
  } finally {
    stall.end();
    await heard.end();
    failure = (await watch.end()) ?? failure;
  }
  const facts: JobFacts = {
    source: plan.source,
    exitCode: ending?.client.code ?? null,
    localSignal: ending?.local.signal ?? null,
    remoteCode: ending?.remote.code ?? null,
    remoteSignal: ending?.remote.signal ?? null,
    problems: heard.problems,
    lastWords: heard.lastWords.join('; '),
    lost,
    stalledSeconds: stall.hasStalled() ? context.host.idleTimeoutMs / 1000 : null,
    diskLow: diskLow.aborted ? toFailure(diskLow.reason) : null,
    isCancelled: signal.aborted,
  };
  const decided = outcomeOfJob(context.host, facts);
  const outcome =
    failure && decided.state === 'FAILED' ? { ...decided, error: failure.toFailure() } : decided;
  const missingFiles = missingFilesOf(context.host, heard.problems).map(({ path, why }) => ({ path, why }));
  const missingFileCount = missingFiles.length + heard.problemsNotKept;
  const stats = heard.stats && { ...heard.stats, ...links.counts(heard.stats, missingFileCount) };
  return {
    missingFiles,
    record: {
      number,
      source: plan.source,
      state: outcome.state,
      error: outcome.error,
      exitCode: facts.exitCode,
      stats: stats && seenFromServer(context.host, stats),
      missingFiles: missingFiles.slice(0, missingFilesKept),
      missingFileCount,
    },
  };
}

/** Collects what one rsync says. */
class JobEar {
  readonly problems: FileProblem[] = [];
  readonly lastWords: string[] = [];
  problemsNotKept = 0;
  stats: TransferStats | null = null;
  private readonly seen = new Set<string>();
  private readonly report = new LineSplitter();
  private readonly errors = new LineSplitter();
  private readonly file;
  private linesSaid = 0;
  private messageBytes = 0;

  constructor(
    private readonly context: JobContext,
    private readonly number: number,
    private readonly plan: TransferPlan,
    private readonly copies: { readonly links: LinkCounter; readonly onCopied: () => void },
  ) {
    this.file = createWriteStream(join(context.directory, `job-${number}.log`), { flags: 'a', mode: 0o640 });
    // A full disk is told by rsync itself; its log may then be cut.
    this.file.on('error', () => {});
  }

  readonly onReport = (bytes: Buffer): void => this.hear(this.report.feed(bytes), false);
  readonly onError = (bytes: Buffer): void => this.hear(this.errors.feed(bytes), true);

  async end(): Promise<void> {
    this.hear(this.report.end(), false);
    this.hear(this.errors.end(), true);
    await new Promise<void>((resolve) => {
      if (this.file.destroyed) resolve();
      else this.file.once('close', resolve).end();
    });
  }

  private hear(lines: readonly string[], isError: boolean): void {
    // One write for all lines that came together.
    this.file.cork();
    for (const line of lines) for (const event of parseRsyncLine(line)) this.take(event, isError);
    this.file.uncork();
    this.copies.onCopied();
  }

  private take(event: RsyncEvent, isError: boolean): void {
    this.context.onEvent(this.number, event);
    switch (event.kind) {
      case 'progress':
      case 'checked':
        return;
      case 'item':
        this.copies.links.take(event);
        this.file.write(`${event.change} ${event.path}\n`);
        return;
      case 'stats':
        this.stats = { ...(this.stats ?? noTransfer), ...event.stats };
        this.file.write(`${event.line}\n`);
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
    if (this.linesSaid < mostLinesSaid) this.context.say(`job ${this.number}: ${line}`);
    if (this.linesSaid === mostLinesSaid)
      this.context.say(`job ${this.number}: more is in job-${this.number}.log`);
    this.linesSaid += 1;
    this.lastWords.push(line);
    if (this.lastWords.length > mostLastWords) this.lastWords.shift();
  }

  private writeMessage(line: string): void {
    const hadRoom = this.messageBytes <= mostMessageBytes;
    this.messageBytes += line.length + 1;
    if (this.messageBytes <= mostMessageBytes) this.file.write(`${line}\n`);
    else if (hadRoom) this.file.write('[further messages are left out]\n');
  }

  private takeProblem(error: RsyncFileError): void {
    const { source, destination } = this.plan;
    const isOurs = error.side === 'receiver' || error.path.startsWith(`${destination}/`);
    const path = isOurs ? onHost(error.path, source, destination) : error.path;
    if (this.seen.has(path)) return;
    if (this.problems.length >= mostProblems) {
      this.problemsNotKept += 1;
      return;
    }
    this.seen.add(path);
    this.problems.push({ path, why: error.why, isOurs });
  }
}

/** rsync counts from the side of its client: with initiator client what the host sent is what we received. */
function seenFromServer(host: Host, stats: TransferStats): TransferStats {
  if (host.initiator === 'server') return stats;
  return { ...stats, receivedBytes: stats.sentBytes, sentBytes: stats.receivedBytes };
}

/** The path on the host of a path below the destination; rsync's temporary names lose their decoration. */
function onHost(path: string, source: string, destination: string): string {
  const below = path.startsWith(destination) ? path.slice(destination.length) : `/${path}`;
  return `${source === '/' ? '' : source}${below}`.replace(/\/\.([^/]+)\.[A-Za-z0-9]{6}$/, '/$1');
}
