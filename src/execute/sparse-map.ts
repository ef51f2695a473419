/**
 * The map of a sparse file as GNU tar writes it (format 1.0): how many pieces there are, then of each where it begins and
 * how long it is, as decimal numbers in lines, filled up to a block. Whatever it holds, it takes bounded memory.
 */
import { TarUnusable } from './tar-unusable.js';

/** 1 TiB in pieces of 256 KiB. */
const mostPieces = 4 * 1024 * 1024;
const newline = 10;
const zero = 48;

export class SparseMap {
  private numbers = new Float64Array(1024);
  private count = 0;
  /** How many numbers there are, once the first has said it. */
  private wanted = Infinity;
  private number = 0;
  private hasDigit = false;

  get isWhole(): boolean {
    return this.count === this.wanted;
  }

  /** Where each piece begins and how long it is, one after the other. */
  get map(): Float64Array {
    return this.numbers.subarray(0, this.count);
  }

  /** Takes the next block. Throws TarUnusable. */
  read(block: Buffer): void {
    for (const byte of block) {
      if (this.isWhole) return;
      if (byte === newline && this.hasDigit) this.endNumber();
      else this.addDigit(byte - zero);
    }
  }

  private addDigit(digit: number): void {
    this.number = this.number * 10 + digit;
    this.hasDigit = true;
    if (digit < 0 || digit > 9 || !Number.isSafeInteger(this.number))
      throw new TarUnusable('the map of a sparse file cannot be read');
  }

  private endNumber(): void {
    const { number } = this;
    this.number = 0;
    this.hasDigit = false;
    if (this.wanted === Infinity) {
      if (number > mostPieces) throw new TarUnusable('a sparse file has too many pieces');
      this.wanted = 2 * number;
      return;
    }
    if (this.count === this.numbers.length) {
      const larger = new Float64Array(2 * this.count);
      larger.set(this.numbers);
      this.numbers = larger;
    }
    this.numbers[this.count++] = number;
  }
}
