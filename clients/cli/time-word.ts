/** A point in time as people type it. Pure but for the time zone of the terminal. */
import { usageError } from './cli-error.js';

const pattern = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|z|[+-]\d\d:\d\d)?)?$/;

/**
 * Reads `2026-11-01 12:00` (with or without seconds, in the zone of the terminal), RFC 3339, or a date alone, which
 * means the end of that day. Throws a usage error.
 */
export function parseTimeWord(option: string, text: string): Date {
  const match = pattern.exec(text.trim());
  if (!match) throw wrongTime(option, text);
  const [year = 0, month = 0, day = 0] = match.slice(1, 4).map(Number);
  const isWholeDay = match[4] === undefined;
  const [hour = 0, minute = 0, second = 0] = isWholeDay
    ? [23, 59, 59]
    : match.slice(4, 7).map((digits) => Number(digits ?? '0'));
  const ms = isWholeDay ? 999 : Math.floor(Number(`0${match[7] ?? ''}`) * 1000);
  const isDay = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day && month >= 1 && month <= 12;
  if (!isDay || hour > 23 || minute > 59 || second > 59) throw wrongTime(option, text);
  const zone = match[8];
  if (zone === undefined) return new Date(year, month - 1, day, hour, minute, second, ms);
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second, ms) - offsetMs(zone));
}

function offsetMs(zone: string): number {
  if (zone.toUpperCase() === 'Z') return 0;
  const [hours = 0, minutes = 0] = zone.slice(1).split(':').map(Number);
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function wrongTime(option: string, text: string): Error {
  return usageError(
    `${option} is ${JSON.stringify(text)}, which is no time.`,
    'Allowed are "2026-11-01 12:00", 2026-11-01T12:00:00Z, and 2026-11-01 (the end of that day).',
  );
}
