/** What is said of a soak that did not come to its good end. */
import { Disagreement } from '../disagreement.js';
import type { Ledger } from './ledger.js';

export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor() {
    super('It was interrupted, so the checks of the end were left out');
  }
}

export interface Attempt {
  readonly seed: number;
  readonly minutes: number;
  readonly hosts: number;
}

/** What came before, what was wrong, and how it is reproduced; `remains` is where everything will lie. */
export function describeFailure(
  error: unknown,
  { seed, minutes, hosts }: Attempt,
  { elapsedMs, violations, last }: Pick<Ledger, 'elapsedMs' | 'violations' | 'last'>,
  remains: string | null,
): string {
  const isTold = error instanceof Disagreement || error instanceof Interrupted;
  const why = [isTold ? error.message : (error as Error).stack, ...violations].join('\n  ');
  return [
    `The last events were:\n${last.join('\n')}`,
    `The soak of the fleet with seed ${seed} failed after ${(elapsedMs / 1000).toFixed(0)} s: ${why}`,
    `To try again: npm run soak -- --seed ${seed} --minutes ${minutes} --hosts ${hosts}`,
    ...(remains === null ? [] : [`What is left will be in ${remains}`]),
  ].join('\n');
}
