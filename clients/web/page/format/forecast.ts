/** When a disk will be full, in words. */
import type { DiskForecast } from '../../gen/busy/v1/daemon_service_pb.js';
import { bytes, dateOf } from './units.js';

const dayMs = 86_400_000;

export interface ForecastWords {
  readonly text: string;
  /** It will be full within a month. */
  readonly isSoon: boolean;
}

export function forecastWords(
  forecast: Pick<DiskForecast, 'bytesPerDay' | 'fullAt'> | undefined,
  now: Date,
): ForecastWords {
  if (!forecast) return { text: 'not enough history for a forecast', isSoon: false };
  const fullAt = dateOf(forecast.fullAt);
  if (!fullAt) return { text: 'does not fill up at this pace', isSoon: false };
  const days = Math.max(0, (fullAt.getTime() - now.getTime()) / dayMs);
  const pace = `${bytes(forecast.bytesPerDay)} a day`;
  return { text: `full in about ${spanWords(days)} at this pace (${pace})`, isSoon: days < 30 };
}

function spanWords(days: number): string {
  if (days < 1) return 'a day';
  if (days < 14) return counted(days, 'day');
  if (days < 70) return counted(days / 7, 'week');
  if (days < 730) return counted(days / 30.44, 'month');
  return counted(days / 365.25, 'year');
}

function counted(value: number, noun: string): string {
  const whole = Math.round(value);
  return `${whole} ${noun}${whole === 1 ? '' : 's'}`;
}
