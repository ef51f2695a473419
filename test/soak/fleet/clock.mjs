/**
 * Loaded before busyd (`node --import`): its clock goes wrong by as many milliseconds as the file in BUSY_SOAK_CLOCK
 * says, in executors and threads too, and while it runs. Timers go on as before, as they do when a real clock is set.
 */
import { readFileSync } from 'node:fs';

const file = process.env.BUSY_SOAK_CLOCK ?? '';
const rereadMs = 50;
const RealDate = Date;
let shiftMs = 0;
let readAt = -Infinity;

function now() {
  if (performance.now() - readAt > rereadMs) {
    readAt = performance.now();
    try {
      shiftMs = Number(readFileSync(file, 'utf8'));
    } catch {
      // It is being replaced, or has gone at the end: the clock stays as it was.
    }
  }
  return RealDate.now() + shiftMs;
}

const shifted = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget === shifted ? target : newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
globalThis.Date = shifted;
