/** Shows what a check found, with what to do about it. */
import { FindingState, type Finding } from '../../src/gen/busy/v1/enrollment_service.js';
import { exitCodes } from './exit-codes.js';
import type { Cell, Printer } from './output.js';

export function printFindings(printer: Printer, findings: readonly Finding[]): void {
  const width = Math.max(0, ...findings.map(({ subject }) => subject.length));
  for (const { subject, state, text, advice } of findings) {
    printer.line(stateCell(state), ' ', subject.padEnd(width), '  ', text);
    if (advice !== '') printer.line(' '.repeat(8), ' '.repeat(width), '  ', advice);
  }
}

/** 1 when something does not work. */
export function exitCodeOf(findings: readonly Finding[]): number {
  return findings.some(({ state }) => state === FindingState.PROBLEM) ? exitCodes.failed : exitCodes.done;
}

function stateCell(state: FindingState): Cell {
  switch (state) {
    case FindingState.OK:
      return { text: 'ok     ', colour: 'green' };
    case FindingState.WARNING:
      return { text: 'warning', colour: 'yellow' };
    case FindingState.UNSPECIFIED:
    case FindingState.PROBLEM:
      return { text: 'problem', colour: 'red' };
    default:
      return state satisfies never;
  }
}
