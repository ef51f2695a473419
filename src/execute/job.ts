/**
 * One job: one rsync call for one source directory. Everything that rsync says goes into `job-N.log` in the
 * snapshot; what counts is turned into facts, and `core/job-outcome.ts` decides what they mean.
 */
import { join } from 'node:path';
import { toFailure, type BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { missingFilesOf, outcomeOfJob, type JobFacts } from '../core/job-outcome.js';
import type { Clock } from '../core/ports.js';
import { missingFilesKept, type JobRecord, type MissingFile } from '../core/run.js';
import type { TransferStats } from '../core/snapshot.js';
import { AttributeWatch } from './attribute-watch.js';
import { transfer, type TransferEnding } from './bridge.js';
import type { StartRsync } from './confinement.js';
import { Flow } from './flow.js';
import { JobEar } from './job-ear.js';
import { LinkCounter } from './link-counter.js';
import { startFailure } from './local-rsync.js';
import type { TransferPlan } from './rsync-args.js';
import type { RsyncEvent } from './rsync-output.js';
import type { SshConnection } from './ssh.js';
import { watchForStall } from './stall.js';

export interface JobContext {
  readonly host: Host;
  readonly connection: SshConnection;
  readonly startRsync: StartRsync;
  /** The partial snapshot. */
  readonly directory: string;
  readonly clock: Clock;
  /** Bytes of the source in the newest good snapshot; null: a mass change of attributes is no reason to end it. */
  readonly bytesBefore: number | null;
  /** Ends all jobs, with a BusyError as its reason. */
  readonly mustEnd: AbortSignal;
  /** A line for the log of the run. */
  readonly say: (text: string) => void;
  onEvent(jobNumber: number, event: RsyncEvent): void;
}

export interface EndedJob {
  readonly record: JobRecord;
  /** All files that are missing from the snapshot. */
  readonly missingFiles: readonly MissingFile[];
}

/** Carries one job out. Never throws for what happens to the job; the record tells. */
export async function runJob(
  context: JobContext,
  number: number,
  plan: TransferPlan,
  signal: AbortSignal,
): Promise<EndedJob> {
  const { mustEnd } = context;
  const links = new LinkCounter();
  const flow = new Flow();
  const watch = new AttributeWatch({
    host: context.host,
    connection: context.connection,
    startRsync: context.startRsync,
    plan,
    links,
    bytesBefore: context.bytesBefore,
    scratch: join(context.directory, `compare-${number}`),
    flow,
    say: context.say,
    onTraffic: () => stall.onTraffic(),
  });
  const heard = new JobEar(context, number, plan, { links, onCopied: () => watch.look() });
  const stall = watchForStall(context.host, AbortSignal.any([signal, mustEnd, watch.tooMuch.signal]));
  let lost: string | null = null;
  let ending: TransferEnding | null = null;
  let failure: BusyError | null = null;
  void context.connection.closed.then((reason) => (lost = reason));
  try {
    const output = { onReport: heard.onReport, onError: heard.onError, onTraffic: stall.onTraffic, flow };
    ending = await transfer(context, plan, output, stall.signal);
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
    limitReached: mustEnd.aborted ? toFailure(mustEnd.reason) : null,
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

/** rsync counts from the side of its client: with initiator client what the host sent is what we received. */
function seenFromServer(host: Host, stats: TransferStats): TransferStats {
  if (host.initiator === 'server') return stats;
  return { ...stats, receivedBytes: stats.sentBytes, sentBytes: stats.receivedBytes };
}
