/** Has old runs removed; a part of the composition root. */
import type { Catalog } from './control/catalog.js';
import { RunCleaner, type RunCleanerParts } from './control/run-cleaner.js';

export interface RunCleaningParts extends Omit<RunCleanerParts, 'isConfigured'> {
  readonly catalog: Pick<Catalog, 'hosts'>;
}

/** Begins, and answers what ends it again. */
export function startRunCleaning(parts: RunCleaningParts): () => Promise<void> {
  const { catalog } = parts;
  const isConfigured = (host: string): boolean => catalog.hosts().some(({ name }) => name === host);
  const cleaner = new RunCleaner({ ...parts, isConfigured });
  cleaner.start();
  return () => cleaner.stop();
}
