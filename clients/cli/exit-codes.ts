/** The one place that maps errors and end states to exit codes. */
import { RunState } from '../../src/gen/busy/v1/run.js';
import type { ErrorKind } from './cli-error.js';

export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  noConnection: 3,
  notAllowed: 4,
  partial: 5,
  /** 128 + SIGINT, as shells count it. */
  interrupted: 130,
} as const;

/** The exit code for a failed command. */
export function exitCodeOfError(kind: ErrorKind): number {
  return codeOfKind[kind];
}

/** The exit code for the end state of a run that was followed. */
export function exitCodeOfRun(state: RunState): number {
  if (state === RunState.SUCCEEDED) return exitCodes.done;
  return state === RunState.PARTIAL ? exitCodes.partial : exitCodes.failed;
}

/** The paragraph about exit codes in the help of a command. */
export function exitCodesHelp(canFollow: boolean): string {
  const lines = [
    'Exit codes:',
    '  0    done',
    '  1    the call was refused, or the followed run did not succeed',
    '  2    wrong usage',
    '  3    no connection to the daemon',
    '  4    not allowed',
    '  5    the followed run was partial: files are missing from its snapshot, or it is held',
    '  130  interrupted; runs go on',
  ];
  return lines.filter((line) => canFollow || !/^ {2}(5|130) /.test(line)).join('\n');
}

const codeOfKind: Readonly<Record<ErrorKind, number>> = {
  refused: exitCodes.failed,
  unexpected: exitCodes.failed,
  usage: exitCodes.usage,
  'no-connection': exitCodes.noConnection,
  'not-allowed': exitCodes.notAllowed,
  interrupted: exitCodes.interrupted,
};
