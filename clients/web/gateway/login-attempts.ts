/** Slows guessing down: an address that gave wrong tokens has to wait, twice as long with each. */
const firstWaitMs = 1000;
const longestWaitMs = 60_000;
const freeAttempts = 3;
/** Each may take seconds, since the daemon slows wrong tokens down. */
const mostAtOnce = 8;
/** After so long without a wrong token an address begins anew. */
const forgottenAfterMs = 10 * 60_000;
/** Addresses that are remembered; the one that was seen longest ago is forgotten for a new one. */
const mostAddresses = 10_000;

export class LoginAttempts {
  private readonly failures = new Map<string, { count: number; untilMs: number; lastMs: number }>();

  private going = 0;

  constructor(private readonly now: () => number) {}

  /** Whether one more may be asked about; `end` tells that it was. */
  begin(): boolean {
    if (this.going >= mostAtOnce) return false;
    this.going += 1;
    return true;
  }

  end(): void {
    this.going -= 1;
  }

  /** Milliseconds that an address has to wait before its next attempt; 0 when it need not. */
  waitMs(address: string): number {
    return Math.max(0, (this.failures.get(networkOf(address))?.untilMs ?? 0) - this.now());
  }

  /** Answers how many wrong ones there were in a row. */
  failed(address: string): number {
    const nowMs = this.now();
    const network = networkOf(address);
    const before = this.failures.get(network);
    const count = before && nowMs - before.lastMs < forgottenAfterMs ? before.count + 1 : 1;
    const waitMs =
      count <= freeAttempts ? 0 : Math.min(longestWaitMs, firstWaitMs * 2 ** (count - freeAttempts - 1));
    this.failures.delete(network);
    const [oldest] = this.failures.keys();
    if (this.failures.size >= mostAddresses && oldest !== undefined) this.failures.delete(oldest);
    this.failures.set(network, { count, untilMs: nowMs + waitMs, lastMs: nowMs });
    return count;
  }

  succeeded(address: string): void {
    this.failures.delete(networkOf(address));
  }
}

/** As the daemon counts: whoever has one address of IPv6 has 2^64 of them. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head = '', tail = ''] = address.split('::');
  const [before, after] = [head, tail].map((part) => part.split(':').filter(Boolean));
  const gap = address.includes('::') ? 8 - (before?.length ?? 0) - (after?.length ?? 0) : 0;
  return [...(before ?? []), ...Array<string>(Math.max(0, gap)).fill('0'), ...(after ?? [])]
    .slice(0, 4)
    .join(':');
}
