/**
 * Times and spans, in the zone of whoever looks. The exact value shows where the pointer rests, and everywhere with the
 * switch for exact times, which needs no pointer.
 */
import { useSyncExternalStore } from 'react';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { formatAge, formatDuration, formatTime } from '../../../cli/human-format.js';
import { useExactTimes } from '../api/exact-times.js';
import { dateOf } from '../format/units.js';

const tickMs = 1000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;
let now = new Date();

/**
 * A text that is made of the present time: asked for once a second, by one timer for the whole page, and drawn only when
 * it has become another. A page of hundreds of ages has little to do then.
 */
function useTextOfNow(textAt: (present: Date) => string): string {
  return useSyncExternalStore(subscribe, () => textAt(now));
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
  const isExact = useExactTimes();
  const date = dateOf(time);
  const text = useTextOfNow((present) => (isExact || !date ? '' : formatAge(date, present)));
  if (!date) return <span className="faint">never</span>;
  return (
    <time dateTime={date.toISOString()} title={exact(date)}>
      {text === '' ? formatTime(date) : text}
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
  const isExact = useExactTimes();
  const date = dateOf(time);
  const text = useTextOfNow((present) => (isExact || !date ? '' : untilWords(date, present)));
  if (!date) return <span className="faint">–</span>;
  return (
    <time dateTime={date.toISOString()} title={exact(date)}>
      {text === '' ? formatTime(date) : text}
    </time>
  );
}

/** How long something took, or has taken by now. */
export function Took(props: { readonly from: Timestamp | undefined; readonly to: Timestamp | undefined }) {
  const [from, to] = [dateOf(props.from), dateOf(props.to)];
  const text = useTextOfNow((present) =>
    from ? formatDuration((to ?? present).getTime() - from.getTime()) : '',
  );
  return from ? <span>{text}</span> : <span className="faint">–</span>;
}

function untilWords(date: Date, present: Date): string {
  const ms = date.getTime() - present.getTime();
  return ms <= 0 ? 'now' : `in ${formatDuration(ms)}`;
}

function exact(date: Date): string {
  return `${formatTime(date)} (${date.toISOString()})`;
}
