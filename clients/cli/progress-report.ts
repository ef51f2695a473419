import type { Run } from '../../src/gen/busy/v1/run.js';
import { renderProgressLine } from './progress-line.js';
import type { Session } from './session.js';
import { isEnded } from './states.js';

/** Milliseconds between two lines of progress where no line can be rewritten. */
const intervalMs = 10_000;

/** Shows each value of a run: on a terminal in place, otherwise as a line now and then. */
export function progressReporter({ printer, now }: Session): (run: Run) => void {
  let printedAt = Number.NEGATIVE_INFINITY;
  let printed = '';
  return (run) => {
    const text = isEnded(run.state) ? '' : renderProgressLine(run);
    if (printer.isTerminal) return printer.status(text);
    const time = now().getTime();
    if (text === '' || text === printed || time - printedAt < intervalMs) return;
    printer.line(text);
    printedAt = time;
    printed = text;
  };
}
