/** How texts, times and sizes stand in mails. Pure but for the time zone, which is that of the server. */
import { escapeControls } from '../core/log-line.js';

/** In UTF-16 units. A subject must also fit into its column in the database. */
const longestText = 500;
const longestSubject = 200;

/** A text from elsewhere as one line: escaped, and cut when it is long. */
export function clean(text: string): string {
  return cut(escapeControls(cut(text, longestText)), longestText);
}

/** `[busy] SERVER: words`, as one line. */
export function subjectOf(server: string, words: string): string {
  return cut(`[busy] ${clean(server)}: ${clean(words)}`, longestSubject);
}

/** `2026-11-22 20:00:05 +01:00`. */
export function formatMoment(time: Date): string {
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':');
  const offset = -time.getTimezoneOffset();
  const size = Math.abs(offset);
  return `${day} ${clock} ${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** `12 min`, `3 h`, `5 d 4 h`; a time to come (the clock was set back) is `0 min`. */
export function formatAge(time: Date, now: Date): string {
  const minutes = Math.max(0, Math.floor((now.getTime() - time.getTime()) / 60_000));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  // A character of two units stays whole or goes.
  return `${Buffer.from(text.slice(0, length - 3))
    .toString()
    .replace(/\uFFFD$/, '')}...`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
