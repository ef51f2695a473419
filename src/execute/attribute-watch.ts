/**
 * Watches one job for a mass change of attributes. When much was copied for its attributes alone, the whole source is
 * compared with the link bases in a dry run beside the job, which reads names and attributes but no contents; the job
 * is held meanwhile, but for the names that it has already. If most of the source differs so, the job is ended before it
 * has copied everything. Without such a suspicion nothing is asked. Files of the same size that were changed in place, as
 * disk images are, look the same to rsync; so contents are looked at first.
 */
import { lstat, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BusyError } from '../core/errors.js';
import { formatBytes, formatCount, formatShare } from '../core/figures.js';
import type { Host } from '../core/host.js';
import { isMassChange, isWorthComparing, shareDiffering, type Amount } from '../core/link-health.js';
import { noTransfer } from '../core/snapshot.js';
import { transfer } from './bridge.js';
import type { StartRsync } from './confinement.js';
import { compareSamples } from './content-samples.js';
import { Flow } from './flow.js';
import { LinkCounter } from './link-counter.js';
import type { TransferPlan } from './rsync-args.js';
import { LineSplitter, parseRsyncLine } from './rsync-output.js';
import type { SshConnection } from './ssh.js';

export interface WatchedJob {
  readonly host: Host;
  readonly connection: SshConnection;
  readonly startRsync: StartRsync;
  readonly plan: TransferPlan;
  /** What the job has copied so far. */
  readonly links: LinkCounter;
  /** Bytes of the source in the newest good snapshot; null: a mass change is no reason to end the job. */
  readonly bytesBefore: number | null;
  /** An empty place in the partial snapshot. */
  readonly scratch: string;
  /** The stream of the job. */
  readonly flow: Flow;
  /** The comparison goes on. */
  readonly onTraffic: () => void;
  readonly say: (text: string) => void;
}

/** What rsync has named is not there yet. */
const lookAgainMs = 200;

export class AttributeWatch {
  /** Aborted when the job must end. */
  readonly tooMuch = new AbortController();
  private readonly hasEnded = new AbortController();
  private comparison: Promise<void> | null = null;
  /** Nothing is asked again before so much more was copied. */
  private quietUntil = 0;
  private failure: BusyError | null = null;

  constructor(private readonly job: WatchedJob) {}

  /** To be called when the job has copied more. */
  look(): void {
    const { host, plan, links, bytesBefore } = this.job;
    const isOff = bytesBefore === null || host.gate.maxChange >= 1 || plan.snapshotBases.length === 0;
    if (isOff || this.comparison) return;
    if (links.attributes.space < this.quietUntil) return;
    if (isWorthComparing(links.attributes, bytesBefore)) this.comparison = this.compareHeld();
  }

  /** The job has ended: why it was made to, or null. Settles when nothing of the watch is left. */
  async end(): Promise<BusyError | null> {
    this.hasEnded.abort();
    await this.comparison;
    const { plan, links, say } = this.job;
    if (this.failure)
      say(`${plan.source}: ended when ${formatCount(links.attributes.files)} files were copied`);
    return this.failure;
  }

  private async compareHeld(): Promise<void> {
    if (await this.hasOtherContents()) {
      this.quietUntil = 2 * this.job.links.attributes.space;
      this.comparison = null;
      return;
    }
    if (this.hasEnded.signal.aborted) return;
    this.job.flow.hold();
    try {
      await this.compare();
    } finally {
      this.job.flow.goOn();
    }
  }

  /** Looks at files that rsync has sent, as soon as one of them is there. */
  private async hasOtherContents(): Promise<boolean> {
    const { plan, links, say } = this.job;
    const { signal } = this.hasEnded;
    while (!signal.aborted) {
      const samples = links.samples();
      const { same, differing, missing } = await compareSamples(
        samples,
        plan.destination,
        plan.snapshotBases,
      );
      // Of those that are there nothing can be said when we may not read them; that does not get better by waiting.
      if (same + differing === 0 && missing > samples.length / 2) {
        await delay(lookAgainMs, null, { signal }).catch(() => {});
        continue;
      }
      if (differing <= same) return false;
      const share = `${differing} of ${same + differing}`;
      say(`${plan.source}: ${share} files of the same size have other contents; the backup goes on`);
      return true;
    }
    return false;
  }

  private async compare(): Promise<void> {
    const { host, plan, links, say } = this.job;
    say(
      `${plan.source}: ${formatCount(links.attributes.files)} files had to be copied although only owner, mode or time differs; comparing all of it`,
    );
    const found = await compareSource(this.job, this.hasEnded.signal).catch(() => null);
    if (this.hasEnded.signal.aborted) return;
    if (found === null) return say(`${plan.source} could not be compared, so the backup goes on`);
    const { all, differing } = found;
    const share = formatShare(shareDiffering(all, differing));
    if (!isMassChange(host.gate, all, differing)) {
      return say(`${plan.source}: ${share} differ so, which is within max_change; the backup goes on`);
    }
    this.failure = new BusyError('MASS_METADATA_CHANGE', {
      host: host.name,
      source: plan.source,
      files: formatCount(differing.files),
      allFiles: formatCount(all.files),
      share,
      bytes: formatBytes(differing.space),
      example: await describeExample(plan, links.example ?? ''),
    });
    this.tooMuch.abort();
  }
}

/** The source against the snapshots that are link bases; null when rsync could not say. */
async function compareSource(
  { host, connection, startRsync, plan, scratch, onTraffic }: WatchedJob,
  signal: AbortSignal,
): Promise<{ all: Amount; differing: Amount } | null> {
  const links = new LinkCounter();
  const splitter = new LineSplitter();
  let stats = noTransfer;
  const take = (lines: readonly string[]): void => {
    for (const event of lines.flatMap(parseRsyncLine)) {
      if (event.kind === 'item') links.take(event);
      if (event.kind === 'stats') stats = { ...stats, ...event.stats };
    }
  };
  await mkdir(scratch);
  try {
    const comparison = { ...plan, destination: scratch, linkBases: plan.snapshotBases, isComparison: true };
    const output = {
      onReport: (bytes: Buffer): void => take(splitter.feed(bytes)),
      onError: (): void => {},
      onTraffic,
      flow: new Flow(),
    };
    const { client } = await transfer({ host, connection, startRsync }, comparison, output, signal);
    take(splitter.end());
    // 23 and 24: some files could not be read, which the job itself says.
    if (![0, 23, 24].includes(client.code ?? -1) || stats.regularFiles === 0) return null;
    const all = { files: stats.regularFiles, bytes: stats.totalBytes, space: stats.totalBytes };
    return { all, differing: links.attributes };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A file with what has changed of it, as far as both can be looked at. */
async function describeExample(plan: TransferPlan, name: string): Promise<string> {
  const path = join(plan.source, name);
  const looks = plan.snapshotBases.map((base) => lstat(join(base, name)).catch(() => null));
  const was = (await Promise.all(looks)).find((found) => found !== null);
  const now = await lstat(join(plan.destination, name)).catch(() => null);
  if (!was || !now) return path;
  const pairs = [
    ['owner', `${was.uid}:${was.gid}`, `${now.uid}:${now.gid}`],
    ['mode', (was.mode & 0o7777).toString(8), (now.mode & 0o7777).toString(8)],
    ['time', was.mtime.toISOString(), now.mtime.toISOString()],
  ] as const;
  const changes = pairs.filter(([, before, after]) => before !== after);
  const shown = changes.map(([what, before, after]) => `${what} ${before} -> ${after}`).join(', ');
  return shown === '' ? path : `${path} (${shown})`;
}
