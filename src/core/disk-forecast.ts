/**
 * When a disk will be full, if its free space goes on as it went: a straight line through what was free at times in the
 * last four weeks. So it counts what backups put there, what `keep` removes, and all that others do on that disk. Pure.
 */

/** What was free at a time. */
export interface FreeSample {
  readonly atMs: number;
  readonly freeBytes: number;
}

/** By the backup directory, oldest first. */
export type DiskSamples = Readonly<Record<string, readonly FreeSample[]>>;

/** Where the samples are kept over a restart. */
export interface DiskHistory {
  /** Nothing when none were kept yet. Throws when they cannot be read. */
  read(): Promise<DiskSamples>;
  write(samples: DiskSamples): Promise<void>;
}

export interface DiskForecast {
  /** Negative: the free space grows. */
  readonly bytesPerDay: number;
  /** Null: not at this pace, or only in more than ten years. */
  readonly fullAt: Date | null;
  /** The first sample that counts. */
  readonly since: Date;
}

const dayMs = 86_400_000;
const daysSeen = 28;
/** Two nights say nothing of a pace. */
const leastDays = 3;
const mostYears = 10;

/** Answers null where the history is too short to say anything. */
export function forecastDisk(
  samples: readonly FreeSample[],
  freeBytes: number,
  now: Date,
): DiskForecast | null {
  const nowMs = now.getTime();
  const seen = samples.filter(({ atMs }) => atMs <= nowMs && atMs >= nowMs - daysSeen * dayMs);
  const oldest = seen.reduce((least, { atMs }) => Math.min(least, atMs), nowMs);
  if (seen.length < leastDays || nowMs - oldest < leastDays * dayMs) return null;
  const bytesPerDay = Math.round(-slopeOf([...seen, { atMs: nowMs, freeBytes }], oldest));
  const daysLeft = bytesPerDay > 0 ? freeBytes / bytesPerDay : Infinity;
  return {
    bytesPerDay,
    fullAt: daysLeft <= mostYears * 365 ? new Date(nowMs + daysLeft * dayMs) : null,
    since: new Date(oldest),
  };
}

/** Bytes a day, by least squares. Days are counted from the first one, so that the squares stay small. */
function slopeOf(samples: readonly FreeSample[], firstMs: number): number {
  const points = samples.map(({ atMs, freeBytes }) => ({ day: (atMs - firstMs) / dayMs, freeBytes }));
  const meanDay = mean(points.map(({ day }) => day));
  const meanFree = mean(points.map((point) => point.freeBytes));
  const product = points.reduce(
    (sum, { day, freeBytes }) => sum + (day - meanDay) * (freeBytes - meanFree),
    0,
  );
  const square = points.reduce((sum, { day }) => sum + (day - meanDay) ** 2, 0);
  return square === 0 ? 0 : product / square;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What is worth keeping of a history. */
export function keptSamples(samples: readonly FreeSample[], now: Date): FreeSample[] {
  return samples.filter(({ atMs }) => atMs >= now.getTime() - daysSeen * dayMs);
}
