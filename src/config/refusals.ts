/** Values that are well formed, each alone, and still refused. */
import type { z } from 'zod';
import { checkRsyncOptions } from '../core/rsync-options.js';

export function refuseOptions(options: string[], context: z.RefinementCtx): void {
  for (const message of checkRsyncOptions(options)) context.addIssue({ code: 'custom', message });
}

/** Zeros only: what was meant is open, and the wrong guess would lose snapshots. */
export function refuseKeepOfNothing(
  keep: Readonly<Record<string, number | undefined>>,
  context: z.RefinementCtx,
): void {
  const counts = Object.values(keep);
  if (counts.length > 0 && counts.every((count) => !count))
    context.addIssue({ code: 'custom', message: 'keeps nothing' });
}

export function refuseRepeats(values: unknown[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, value] of values.entries()) {
    const shown = JSON.stringify(value);
    if (seen.has(shown)) context.addIssue({ code: 'custom', message: 'stands there twice', path: [index] });
    seen.add(shown);
  }
}
