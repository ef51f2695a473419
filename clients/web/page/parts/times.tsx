/** Times and spans, in the zone of whoever looks, with the exact value where the pointer rests. */
import { useSyncExternalStore } from 'react';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { formatAge, formatDuration, formatTime } from '../../../cli/human-format.js';
import { dateOf } from '../format/units.js';

const tickMs = 1000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;
let now = new Date();

/** The present time, once a second, from one timer for the whole page. */
export function useNow(): Date {
  return useSyncExternalStore(subscribe, () => now);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = new Date();
    for (const tell of listeners) tell();
  }, tickMs);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || !timer) return;
    clearInterval(timer);
    timer = null;
  };
}

/** "3 h ago". */
export function Age({ time }: { readonly time: Timestamp | undefined }) {
  const present = useNow();
  const date = dateOf(time);
  if (!date) return <span className="faint">never</span>;
  return (
    <time dateTime={date.toISOString()} title={exact(date)}>
      {formatAge(date, present)}
    </time>
  );
}

/** "2026-11-22 20:00:05". */
export function When({ time }: { readonly time: Timestamp | undefined }) {
  const date = dateOf(time);
  if (!date) return <span className="faint">–</span>;
  return (
    <time dateTime={date.toISOString()} title={exact(date)}>
      {formatTime(date)}
    </time>
  );
}

/** "in 3 h 05 min". */
export function Until({ time }: { readonly time: Timestamp | undefined }) {
  const present = useNow();
  const date = dateOf(time);
  if (!date) return <span className="faint">–</span>;
  const ms = date.getTime() - present.getTime();
  return (
    <time dateTime={date.toISOString()} title={exact(date)}>
      {ms <= 0 ? 'now' : `in ${formatDuration(ms)}`}
    </time>
  );
}

/** How long something took, or has taken by now. */
export function Took(props: { readonly from: Timestamp | undefined; readonly to: Timestamp | undefined }) {
  const present = useNow();
  const [from, to] = [dateOf(props.from), dateOf(props.to)];
  if (!from) return <span className="faint">–</span>;
  return <span>{formatDuration((to ?? present).getTime() - from.getTime())}</span>;
}

function exact(date: Date): string {
  return `${formatTime(date)} (${date.toISOString()})`;
}
