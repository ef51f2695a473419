/** The end of every help text: examples, then the exit codes. */
import { exitCodesHelp } from './exit-codes.js';

/** `canFollow`: whether the command may end with the state of a run, or by Ctrl-C. */
export function helpText(examples: readonly string[], canFollow = false): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}\n\n${exitCodesHelp(canFollow)}`;
}
