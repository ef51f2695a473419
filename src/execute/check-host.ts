/** Looks at everything that a backup needs of a host, through what its key allows: a login, and rsync. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostCheck, SourceCheck } from '../core/enrollment.js';
import { toBusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { transfer } from './bridge.js';
import { roomFor, type Confiner, type StartRsync } from './confinement.js';
import { Flow } from './flow.js';
import { reachHost, type ReachedHost } from './reach.js';
import { LineSplitter, parseRsyncLine, type RsyncEvent } from './rsync-output.js';

/** How long one source directory may take. */
const sourceMs = 60_000;
const longestProblem = 300;

/** Throws what reaching a host throws; what is found behind the login is a result. */
export async function checkHost(host: Host, confiner: Confiner, signal: AbortSignal): Promise<HostCheck> {
  const reached = await reachHost(host, signal);
  const scratch = await mkdtemp(join(tmpdir(), 'busy-check-'));
  const startRsync = confiner.starter(roomFor(host, { writable: scratch, readOnly: [] }));
  try {
    const sources: SourceCheck[] = [];
    if (!reached.isRsyncMissing)
      for (const source of host.srcdirs)
        sources.push(await checkSource({ host, reached, startRsync }, { source, scratch, signal }));
    return {
      address: reached.connection.address,
      fingerprint: reached.connection.fingerprint,
      software: reached.connection.software,
      hostname: reached.hostname,
      rsyncVersion: reached.rsyncVersion,
      isRsyncMissing: reached.isRsyncMissing,
      sources,
    };
  } finally {
    reached.connection.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** A dry run of its uppermost level: it fails where a backup would fail at once. */
async function checkSource(
  {
    host,
    reached: { connection },
    startRsync,
  }: { readonly host: Host; readonly reached: ReachedHost; readonly startRsync: StartRsync },
  {
    source,
    scratch,
    signal,
  }: { readonly source: string; readonly scratch: string; readonly signal: AbortSignal },
): Promise<SourceCheck> {
  const said: RsyncEvent[] = [];
  const splitter = new LineSplitter();
  const hear = (lines: readonly string[]): void => {
    for (const line of lines)
      if (said.length < 100) said.push(...parseRsyncLine(startRsync.seenFromOutside(line)));
  };
  const plan = {
    source,
    destination: scratch,
    linkBases: [],
    snapshotBases: [],
    leftOut: [],
    mustCompareContents: false,
    isComparison: true,
    isShallow: true,
  } as const;
  const output = {
    onReport: (): void => {},
    onError: (bytes: Buffer): void => hear(splitter.feed(bytes)),
    onTraffic: (): void => {},
    flow: new Flow(),
  };
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(sourceMs)]);
    const { client } = await transfer({ host, connection, startRsync }, plan, output, limit);
    hear(splitter.end());
    const unreadable = said.find((event) => event.kind === 'fileError' && isSource(event.error.path, source));
    if (client.code === 0 || (client.code === 23 && unreadable === undefined))
      return { source, problem: null };
    return { source, problem: problemIn(said, unreadable) };
  } catch (error) {
    return { source, problem: toBusyError(error).message };
  }
}

/** Through rrsync a path is named as it is seen from its directory. */
function isSource(path: string, source: string): boolean {
  return path === source || source.endsWith(path) || path === `${source}/.`;
}

function problemIn(said: readonly RsyncEvent[], unreadable: RsyncEvent | undefined): string {
  const event = unreadable ?? said.find(({ kind }) => kind === 'message') ?? said.at(0);
  return event && 'line' in event ? event.line.slice(0, longestProblem) : 'no answer came';
}
