/**
 * Which options of rsync a user may add. Allowed is what says which files are copied, what is kept of them, and how
 * they are compared and compressed; rsync 3.1 and newer know all of it. Everything else is refused, since a snapshot
 * shares its unchanged files with older snapshots, and since BUSY itself sets the paths and reads the output.
 */
import {
  allowedFlags,
  allowedLetters,
  allowedValues,
  refusedOptions,
  type Refusal,
} from './rsync-option-table.js';

/** Answers in words what is wrong with a list of options; empty when nothing is. */
export function checkRsyncOptions(options: readonly string[]): string[] {
  const problems = options.flatMap((option, index) => checkOption(option, options[index - 1]));
  return copiesDirectories(options)
    ? problems
    : [...problems, 'has neither -a nor -r, without which rsync copies no directory'];
}

function checkOption(option: string, before: string | undefined): string[] {
  if (/[\0\r\n]/.test(option)) return [`${quote(option)} holds a line break or NUL`];
  if (option === '--') return ['-- would end the options, and BUSY adds more of them'];
  if (option.startsWith('--')) return checkLong(option);
  if (option.startsWith('-') && option.length > 1) return checkShort(option);
  if (before !== undefined && takesValue(before)) return [`write ${before}=${option} as one word`];
  return [`${quote(option)} is not an option (paths are set by BUSY)`];
}

function checkShort(option: string): string[] {
  const problems: string[] = [];
  for (const letter of option.slice(1)) {
    if (allowedLetters.includes(letter)) continue;
    const refusal = refusedOptions.find(({ letters }) => letters.includes(letter));
    problems.push(refusal ? `-${letter} is refused: ${refusal.why}` : unknown(`-${letter}`));
    // What follows such a letter is its value, not more letters.
    if (lettersWithValue.includes(letter)) break;
  }
  return problems;
}

const lettersWithValue = 'efBMT@';

function checkLong(option: string): string[] {
  const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(option) ?? [];
  const rule = allowedValues[name];
  if (rule) {
    if (value === undefined) return [`write --${name}=${rule.example}, with its value in the same word`];
    return rule.isAllowed(value) ? [] : [`${quote(option)} is refused: ${rule.allowed}`];
  }
  const isFlag = allowedFlags.includes(name) || isAllowedNegation(name);
  if (isFlag) return value === undefined ? [] : [`--${name} takes no value`];
  const refusal = refusalOf(name);
  return [refusal ? `--${name} is refused: ${refusal.why}` : unknown(`--${name}`)];
}

/** `--no-OPTION`, with the long name or the letter. rsync has no such form of some options. */
function isAllowedNegation(name: string): boolean {
  if (!name.startsWith('no-')) return false;
  const negated = name.slice('no-'.length);
  const hasNegation = [...Object.keys(negatableFlags)].includes(negated);
  return hasNegation;
}
