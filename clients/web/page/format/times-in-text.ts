/** Sentences of the daemon name times in UTC; whoever looks reads them in his own zone, as all other times of the page. */
import { formatTime } from '../../../cli/human-format.js';

const timeOfDaemon = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/** "again from 2026-11-22T20:00:05Z on" becomes "again from 2026-11-22 21:00:05 on" in Berlin. */
export function withLocalTimes(text: string): string {
  return text.replace(timeOfDaemon, (time) => formatTime(new Date(time)));
}
