/** What the product and the model do not agree on. */
export class Disagreement extends Error {
  override readonly name = 'Disagreement';
}

/** Throws a Disagreement with the first of these sentences, when there are any. */
export function refuse(what: string, differences: readonly string[]): void {
  if (differences.length === 0) return;
  const more = differences.length > 10 ? [`and ${differences.length - 10} more`] : [];
  throw new Disagreement([`${what}:`, ...differences.slice(0, 10), ...more].join('\n  '));
}
