/** Decisions that depend on a seed alone, so that a failure comes again. */

export class Random {
  private state = 0x9e3779b9;

  /** The same numbers give the same decisions: for example the seed of a soak and the number of a step. */
  constructor(...seeds: readonly number[]) {
    for (const seed of seeds) {
      this.state = (this.state ^ seed) >>> 0;
      for (let round = 0; round < 4; round++) this.state = Math.floor(this.next() * 2 ** 32);
    }
  }

  /** From 0 up to, and not including, `count`. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** True so often: 0 never, 1 always. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** Throws when there is nothing to pick from. */
  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new Error('there is nothing to pick from');
    return picked;
  }

  /** Null when there is nothing to pick from. */
  pickOrNull<T>(list: readonly T[]): T | null {
    return list[this.below(list.length)] ?? null;
  }

  /** One of a list, as often as its weight says. */
  weighted<T extends { readonly weight: number }>(list: readonly T[]): T {
    let left = this.next() * list.reduce((sum, { weight }) => sum + weight, 0);
    return list.find(({ weight }) => (left -= weight) < 0) ?? this.pick(list);
  }

  /** From 0 to 1, without 1: the generator mulberry32. */
  private next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
