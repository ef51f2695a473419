/** What is in a file: a few numbers in memory, from which its bytes follow. */
import { createCipheriv, createHash } from 'node:crypto';
import type { Random } from './random.js';

/** The first `length` bytes of an endless stream that `id` stands for. */
interface Piece {
  readonly id: number;
  readonly length: number;
}

export class Content {
  private sum: string | undefined;

  private constructor(
    private readonly seed: number,
    private readonly pieces: readonly Piece[],
  ) {}

  static of(seed: number, piece: Piece): Content {
    return new Content(seed, [piece]);
  }

  get size(): number {
    return this.pieces.reduce((sum, { length }) => sum + length, 0);
  }

  withAppended(piece: Piece): Content {
    return new Content(this.seed, [...this.pieces, piece]);
  }

  cutTo(size: number): Content {
    let left = size;
    const pieces = this.pieces.map(({ id, length }) => {
      const kept = Math.min(length, left);
      left -= kept;
      return { id, length: kept };
    });
    return new Content(
      this.seed,
      pieces.filter(({ length }) => length > 0),
    );
  }

  bytes(): Buffer {
    return Buffer.concat(this.pieces.map((piece) => bytesOf(this.seed, piece)));
  }

  digest(): string {
    return (this.sum ??= digestOf(this.bytes()));
  }
}

export function digestOf(bytes: Buffer): string {
  return createHash('sha1').update(bytes).digest('hex');
}

/** Mostly small, now and then empty, or too large for one packet. */
export function randomSize(random: Random): number {
  const most = random.pick([1, 2, 100, 5_000, 5_000, 20_000, 20_000, 300_000]);
  return random.below(most);
}

/** Pseudo-random bytes, which no compression makes small: a stream cipher over zeros. */
function bytesOf(seed: number, { id, length }: Piece): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed, 0);
  key.writeUInt32LE(id, 4);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}
