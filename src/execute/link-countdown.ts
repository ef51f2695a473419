/**
 * Counts down the links of each inode, in about 30 bytes for each: a table of plain numbers, since a Map of a million
 * entries takes three times as much. Inode numbers of 64 bits do not fit into a number of JavaScript, so they come in
 * two parts.
 */
export class LinkCountdown {
  private high = new Float64Array(1024);
  private low = new Uint32Array(1024);
  /** Links that were not met yet. */
  private left = new Uint32Array(1024);
  private used = 0;

  /**
   * Takes note of one more link to an inode that has `links` in all. Answers which link it was: the first, the last of
   * them, or one between. `low` is below 2^32; no inode has the number 0.
   */
  count(high: number, low: number, links: number): 'first' | 'between' | 'last' {
    let slot = this.slotOf(high, low);
    const isNew = this.high[slot] === 0 && this.low[slot] === 0;
    if (isNew) {
      if (this.used * 2 >= this.low.length) {
        this.grow();
        slot = this.slotOf(high, low);
      }
      this.high[slot] = high;
      this.low[slot] = low;
      this.left[slot] = links - 1;
      this.used += 1;
      return 'first';
    }
    const left = this.left[slot] ?? 0;
    // Links that someone makes meanwhile come unexpected.
    this.left[slot] = Math.max(0, left - 1);
    return left === 1 ? 'last' : 'between';
  }

  private slotOf(high: number, low: number): number {
    const mask = this.low.length - 1;
    let slot = (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) >>> 7;
    for (slot &= mask; ; slot = (slot + 1) & mask) {
      const isFree = this.high[slot] === 0 && this.low[slot] === 0;
      if (isFree || (this.low[slot] === low && this.high[slot] === high)) return slot;
    }
  }

  private grow(): void {
    const { high, low, left } = this;
    this.high = new Float64Array(low.length * 2);
    this.low = new Uint32Array(low.length * 2);
    this.left = new Uint32Array(low.length * 2);
    for (let old = 0; old < low.length; old++) {
      if (high[old] === 0 && low[old] === 0) continue;
      const slot = this.slotOf(high[old] ?? 0, low[old] ?? 0);
      this.high[slot] = high[old] ?? 0;
      this.low[slot] = low[old] ?? 0;
      this.left[slot] = left[old] ?? 0;
    }
  }
}
