export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Median and range. Throws when there is no value. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: percentile(values, 50), min: percentile(values, 0), max: percentile(values, 100) };
}

/** The value below which `percent` of the values lie; between two values in proportion. Throws when there is none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(place)];
  const above = sorted[Math.ceil(place)];
  if (below === undefined || above === undefined)
    throw new Error('There is no value to take a percentile of.');
  return below + (above - below) * (place - Math.floor(place));
}
