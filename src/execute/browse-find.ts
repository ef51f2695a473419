/** Searches the entries of snapshots by a pattern. Runs in a thread of its own (`browse-thread.ts`). */
import type { FindStep, FindTask } from '../core/browse.js';
import { BusyError, toBusyError } from '../core/errors.js';
import { readFilePattern } from '../core/file-pattern.js';
import { entriesOf } from './browse-entries.js';

/**
 * Goes through the snapshots in the order given. One of several that cannot be read is skipped, and said to be; a
 * single one throws as `Browse` says. Throws INVALID_ARGUMENT for a wrong pattern.
 */
export async function* findFiles({ sources, pattern, types }: FindTask): AsyncGenerator<FindStep> {
  const matches = readFilePattern(pattern);
  const wanted = new Set(types);
  for (const [index, source] of sources.entries()) {
    let entries = 0;
    try {
      for await (const piece of entriesOf(source, '/')) {
        for (const entry of piece) {
          if (wanted.size > 0 && !wanted.has(entry.type)) continue;
          if (matches(entry.path)) yield { kind: 'found', source: index, entry };
        }
        entries += piece.length;
        yield { kind: 'progress', source: index, entries };
      }
    } catch (error) {
      if (sources.length === 1 || !(error instanceof BusyError)) throw error;
      yield { kind: 'skipped', source: index, message: toBusyError(error).message };
    }
  }
}
