/**
 * Which options of rsync a user may add. Allowed is what says which files are copied, what is kept of them, and how
 * they are compared and compressed; rsync 3.1 and newer know all of it. Everything else is refused, since a snapshot
 * shares its unchanged files with older snapshots, and since BUSY itself sets the paths and reads the output.
 */
import {
  allowedFlags,
  allowedLetters,
  allowedValues,
  lettersWithValue,
  whyRefused,
} from './rsync-option-table.js';

/** Answers in words what is wrong with a list of options, one word each; empty when nothing is. */
export function checkRsyncOptions(options: readonly string[]): string[] {
  const problems = options.flatMap((option, index) => checkWord(option, options[index - 1] ?? ''));
  if (options.some(copiesDirectories)) return problems;
  return [...problems, 'has neither -a nor -r, without which rsync copies no directory'];
}

/** Whether these options keep the times of files; without them an unchanged file cannot be told from a changed one. */
export function keepsTimes(options: readonly string[]): boolean {
  return options.reduce((keeps, word) => {
    if (word === '--no-times' || word === '--no-t') return false;
    return keeps || word === '--archive' || word === '--times' || /^-[A-Za-z]*[at]/.test(word);
  }, false);
}

function checkWord(word: string, before: string): string[] {
  if (/[\0\r\n]/.test(word)) return [`has a line break or NUL in ${JSON.stringify(word)}`];
  if (word === '--') return ['has --, after which no option could follow; BUSY adds its own'];
  if (word.startsWith('--')) return checkLong(word);
  if (word.startsWith('-') && word !== '-') return checkLetters(word);
  if (allowedValues.has(before.slice(2)) && before.startsWith('--')) return [];
  return [`has ${JSON.stringify(word)}, which is no option; BUSY itself names the paths`];
}

function checkLetters(word: string): string[] {
  const letters = Array.from(word.slice(1));
  // What follows a letter with a value is that value, not more letters.
  const end = letters.findIndex((letter) => lettersWithValue.includes(letter));
  return letters
    .slice(0, end < 0 ? letters.length : end + 1)
    .filter((letter) => !allowedLetters.includes(letter))
    .map((letter) => `has -${letter}: ${whyRefused({ letter })}`);
}

function checkLong(word: string): string[] {
  const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/.exec(word) ?? [];
  const rule = allowedValues.get(name);
  if (rule && value === undefined) {
    return [
      `has --${name} without its value, which must follow in the same word: "--${name}=${rule.example}"`,
    ];
  }
  if (rule && value !== undefined)
    return rule.pattern.test(value) ? [] : [`has ${JSON.stringify(word)}: ${rule.allowed}`];
  if (!allowedFlags.has(name)) return [`has --${name}: ${whyRefused({ name })}`];
  return value === undefined ? [] : [`has ${JSON.stringify(word)}, but --${name} takes no value`];
}

function copiesDirectories(word: string): boolean {
  return word === '--archive' || word === '--recursive' || /^-[A-Za-z]*[ar]/.test(word);
}
