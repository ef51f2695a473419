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
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const window = readWindow(text);
  if (parsed.size < mostParsed) parsed.set(text, window);
  return window;
}

/** Those of the configuration, which are read for each decision on a host. */
const parsed = new Map<string, Window | null>();
const mostParsed = 1000;

function readWindow(text: string): Window | null {
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
  let first: Date | null = null;
  for (const text of windows) {
    const window = parseWindow(text);
    const next = window && nextOpening(window, timeZone, moment);
    if (next && (first === null || next < first)) first = next;
  }
  return first;
}

/** The last that was found of each window, by time zone: until it has come it is the next for all that ask. */
const openings = new WeakMap<Window, Map<string, { readonly from: Date; readonly next: Date | null }>>();

function nextOpening(window: Window, timeZone: string, moment: Date): Date | null {
  const ofWindow = openings.get(window) ?? new Map<string, { from: Date; next: Date | null }>();
  openings.set(window, ofWindow);
  const known = ofWindow.get(timeZone);
  if (known?.next && moment >= known.from && moment < known.next) return known.next;
  const pattern = `${window.start % 60} ${Math.floor(window.start / 60)} * * ${[...window.days].join(',')}`;
  const next = new Cron(pattern, { timezone: timeZone, paused: true }).nextRun(moment);
  ofWindow.set(timeZone, { from: moment, next });
  return next;
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

interface LocalTime {
  readonly day: number;
  readonly minute: number;
}

interface Clockface {
  readonly formatter: Intl.DateTimeFormat;
  /** The minute that was asked for last, since the epoch, and what the local time is in it. */
  asked: number;
  shown: LocalTime;
}

/** By time zone: a formatter is costly to make and slow to ask, and a pass over all hosts asks for one moment. */
const clockfaces = new Map<string, Clockface>();

function localTime(timeZone: string, moment: Date): LocalTime {
  const face = clockfaces.get(timeZone) ?? newClockface(timeZone);
  clockfaces.set(timeZone, face);
  const minute = Math.floor(moment.getTime() / 60_000);
  if (face.asked !== minute) {
    face.shown = readLocalTime(face.formatter, moment);
    face.asked = minute;
  }
  return face.shown;
}

function newClockface(timeZone: string): Clockface {
  const options = {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  } as const;
  return { formatter: new Intl.DateTimeFormat('en-US', options), asked: NaN, shown: { day: 0, minute: 0 } };
}

function readLocalTime(formatter: Intl.DateTimeFormat, moment: Date): LocalTime {
  const parts = new Map(formatter.formatToParts(moment).map(({ type, value }) => [type, value]));
  return {
    day: dayNames.indexOf((parts.get('weekday') ?? '').toLowerCase()),
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}
