/**
 * Windows: when a host may run at all. `22:00-06:00` is open every night, over midnight; `sat,sun 00:00-24:00` on
 * these days; a window over midnight belongs to the day on which it begins. No window means always.
 */
import { Cron } from 'croner';

interface Window {
  /** 0 is Sunday. */
  readonly days: ReadonlySet<number>;
  /** Minutes since midnight; `end` is greater than `start`, and beyond 1440 for a window over midnight. */
  readonly start: number;
  readonly end: number;
}

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const dayMinutes = 24 * 60;

/** Reads one window; null when the text is none. */
export function parseWindow(text: string): Window | null {
  const match = /^(?:([a-z,-]+)\s+)?(\d{1,2}):([0-5]\d)\s*-\s*(\d{1,2}):([0-5]\d)$/i.exec(text.trim());
  if (!match) return null;
  const [, dayText, startHour, startMinute, endHour, endMinute] = match;
  const days = dayText === undefined ? allDays() : parseDays(dayText.toLowerCase());
  const start = Number(startHour) * 60 + Number(startMinute);
  const end = Number(endHour) * 60 + Number(endMinute);
  if (days === null || start >= dayMinutes || end > dayMinutes || start === end) return null;
  return { days, start, end: end > start ? end : end + dayMinutes };
}

/** Whether one of the windows is open at a moment. */
export function isWindowOpen(windows: readonly string[], timeZone: string, moment: Date): boolean {
  if (windows.length === 0) return true;
  const { day, minute } = localTime(timeZone, moment);
  const dayBefore = (day + 6) % 7;
  return windows.some((text) => {
    const window = parseWindow(text);
    if (!window) return false;
    const isToday = window.days.has(day) && minute >= window.start && minute < window.end;
    return isToday || (window.days.has(dayBefore) && minute + dayMinutes < window.end);
  });
}

/** When the next window opens after a moment; null when there is none. */
export function nextWindowOpening(windows: readonly string[], timeZone: string, moment: Date): Date | null {
  const openings = windows.flatMap((text) => {
    const window = parseWindow(text);
    if (!window) return [];
    const pattern = `${window.start % 60} ${Math.floor(window.start / 60)} * * ${[...window.days].join(',')}`;
    const next = new Cron(pattern, { timezone: timeZone, paused: true }).nextRun(moment);
    return next ? [next.getTime()] : [];
  });
  return openings.length === 0 ? null : new Date(Math.min(...openings));
}

function parseDays(text: string): Set<number> | null {
  const days = new Set<number>();
  for (const part of text.split(',')) {
    const [first, last, ...more] = part.split('-');
    if (more.length > 0) return null;
    const from = dayNames.indexOf(first ?? '');
    const to = last === undefined ? from : dayNames.indexOf(last);
    if (from < 0 || to < 0) return null;
    for (let day = from; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === to) break;
    }
  }
  return days;
}

function allDays(): Set<number> {
  return new Set(dayNames.keys());
}

/** Formatters are costly to make and hold no state that matters. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function localTime(timeZone: string, moment: Date): { day: number; minute: number } {
  let formatter = formatters.get(timeZone);
  if (!formatter) {
    const options = {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    } as const;
    formatter = new Intl.DateTimeFormat('en-US', options);
    formatters.set(timeZone, formatter);
  }
  const parts = new Map(formatter.formatToParts(moment).map(({ type, value }) => [type, value]));
  return {
    day: dayNames.indexOf((parts.get('weekday') ?? '').toLowerCase()),
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}
