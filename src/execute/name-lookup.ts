/**
 * The addresses of names, as this machine resolves them (/etc/hosts, DNS, mDNS). Each name is looked up in a process of
 * its own: the lookups of Node itself share two threads, where a few names whose servers do not answer hold up all
 * others.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { runProcess } from './process.js';
import { StartSlots } from './start-slots.js';

/** Answers the addresses of a name. Throws when there are none; ends soon after `signal`. */
export type LookUp = (name: string, signal: AbortSignal) => Promise<readonly string[]>;

/** What a resolver with two servers takes at most with its defaults. */
const longestMs = 20_000;
/** How long an answer holds, also that there is none. */
const keptMs = 60_000;
/** So many lookups run at the same time. */
const places = 8;
/** One that takes longer than this gives its place to the next. */
const patienceMs = 1000;

export class NameLookup {
  /** Those that run, and those that have ended of late: no name is asked for twice at once. */
  private readonly answers = new Map<string, Promise<readonly string[]>>();
  private readonly slots = new StartSlots(places, patienceMs);
  private readonly closing = new AbortController();

  constructor(private readonly lookUp: LookUp = askSystem) {}

  /** The addresses of a name, none when it cannot be resolved; an address stands for itself. Never throws. */
  addressesOf(name: string): Promise<readonly string[]> {
    if (isIP(name) !== 0) return Promise.resolve([name]);
    const known = this.answers.get(name);
    if (known) return known;
    const answer = this.slots.take(name, () => this.ask(name));
    this.answers.set(name, answer);
    return answer;
  }

  /** Ends all lookups. */
  close(): void {
    this.closing.abort();
  }

  private async ask(name: string): Promise<readonly string[]> {
    const signal = AbortSignal.any([this.closing.signal, AbortSignal.timeout(longestMs)]);
    try {
      return signal.aborted ? [] : await this.lookUp(name, signal);
    } catch {
      return [];
    } finally {
      setTimeout(() => this.answers.delete(name), keptMs).unref();
    }
  }
}

async function askSystem(name: string, signal: AbortSignal): Promise<readonly string[]> {
  try {
    const found = await runProcess('getent', ['ahosts', '--', name], signal);
    // One line for each address and kind of socket: "192.0.2.10 STREAM web1".
    const addresses = found.split('\n').map((line) => line.split(/\s/)[0] ?? '');
    return [...new Set(addresses)].filter((address) => isIP(address) !== 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // A system without that program.
    return (await lookup(name, { all: true })).map(({ address }) => address);
  }
}
