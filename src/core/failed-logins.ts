/**
 * How long whoever showed a wrong token waits for the answer: twice as long each time, by address. A right token never
 * waits, so nobody is locked out by what others do from his address.
 */

/** Milliseconds. */
const firstDelay = 250;
const longestDelay = 8000;
/** After so long without a wrong one an address starts anew, in milliseconds. */
const forgottenAfter = 600_000;
/** Of a stranger's choice, so there must be an end: the oldest goes first. */
const mostAddresses = 1000;

export interface FailedLogin {
  readonly delayMs: number;
  /** Wrong ones of this address in a row. */
  readonly count: number;
}

export class FailedLogins {
  readonly #byAddress = new Map<string, { count: number; at: Date }>();

  /** Notes a wrong token. */
  note(address: string, now: Date): FailedLogin {
    const key = networkOf(address);
    const before = this.#byAddress.get(key);
    const isRecent = before !== undefined && now.getTime() - before.at.getTime() < forgottenAfter;
    const count = isRecent ? before.count + 1 : 1;
    this.#byAddress.delete(key);
    this.#byAddress.set(key, { count, at: now });
    for (const oldest of this.#byAddress.keys()) {
      if (this.#byAddress.size <= mostAddresses) break;
      this.#byAddress.delete(oldest);
    }
    return { delayMs: Math.min(firstDelay * 2 ** Math.min(count - 1, 16), longestDelay), count };
  }

  get size(): number {
    return this.#byAddress.size;
  }
}

/** Whoever has one address of IPv6 has 2^64 of them. */
export function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  return [...groups, ...Array<string>(gap).fill('0'), ...rest].slice(0, 4).join(':');
}
