/** A part of `npm run bench` that can be carried out alone. */
import type { BenchmarkOptions, SizeOptions } from '../options.js';
import type { Row } from '../one-table.js';
import type { Absence, Failure } from '../peers/all-peers.js';

export interface Section {
  readonly name: string;
  /** It does nothing that another section does not do too, with other trees: so `--quick` leaves it out. */
  readonly isLikeAnother: boolean;
  /** What it works on, as a sentence for people. */
  describe(sizes: SizeOptions): string;
  measure(options: BenchmarkOptions): Promise<SectionResult>;
}

export interface SectionResult {
  readonly rows: readonly Row[];
  /** Who could not take part. */
  readonly absent: readonly Absence[];
  /** Whose figures are missing because they failed. */
  readonly failures: readonly Failure[];
}
