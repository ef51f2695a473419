/** Patterns that files are searched by. Pure. */
import picomatch from 'picomatch';
import { showPath, type BytePath } from './byte-path.js';
import { BusyError } from './errors.js';

const longestPattern = 1000;

/**
 * A glob (`*`, `?`, `[a-z]`, `{a,b}`, and `**` for any depth), matched with paths as people see them. Without a slash it
 * is about the name alone, wherever that is; with one about the whole path, from the root of the host on. Throws
 * INVALID_ARGUMENT.
 */
export function readFilePattern(pattern: string): (path: BytePath) => boolean {
  if (pattern === '') throw wrong('must not be empty');
  if (pattern.length > longestPattern) throw wrong(`must have at most ${longestPattern} characters`);
  const isAboutName = !pattern.includes('/');
  // Without the first slash, so that `**` stands for no directory as well.
  const whole = pattern.startsWith('/') ? pattern.slice(1) : pattern;
  // A shown escape (`\#351`) stands for itself.
  const matches = compile(whole.replace(/\\(?=#[0-7]{3})/g, '[\\\\]'));
  if (!isAboutName) return (path) => matches(showPath(path.slice(1)));
  return (path) => matches(showPath(path.slice(path.lastIndexOf('/') + 1)));
}

function compile(pattern: string): (text: string) => boolean {
  try {
    // Nested groups of extended globs can take for ever.
    return picomatch(pattern, { dot: true, noextglob: true, strictSlashes: true });
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error));
  }
}

function wrong(problem: string): BusyError {
  const allowed = 'For example "*.conf" for a name anywhere, or "/etc/**/*.conf" for a whole path.';
  return new BusyError('INVALID_ARGUMENT', { field: 'pattern', problem, allowed });
}
