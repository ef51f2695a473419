/** Paths that a caller gives: read from their shown form, and never out of the snapshot. Pure. */
import { bytesOf, parseShownPath, showPath, type BytePath } from './byte-path.js';
import { BusyError } from './errors.js';

const longestPath = 16 * 1024;

/**
 * A path as people write it (`showPath`): absolute on the host; empty is `/`, and a slash at the end is left out.
 * Answers it without that. Throws PATH_REFUSED.
 */
export function readPathRequest(text: string): BytePath {
  if (text.length > longestPath) throw refused(bytesOf(text.slice(0, 200)), 'it is too long');
  const path = parseShownPath(text);
  if (path === null) throw refused(bytesOf(text), 'an escape in it stands for no byte');
  if (path === '' || path === '/') return '/';
  const whole = /[^/]\/$/.test(path) ? path.slice(0, -1) : path;
  checkedParts(whole);
  return whole;
}

/** The names of an absolute path, none for `/`. Throws PATH_REFUSED for whatever is not plainly below the root. */
export function checkedParts(path: BytePath): readonly string[] {
  if (!path.startsWith('/')) throw refused(path, 'it does not begin with a slash');
  if (path.includes('\0')) throw refused(path, 'it has a zero byte');
  if (path === '/') return [];
  const parts = path.slice(1).split('/');
  if (parts.includes('..')) throw refused(path, '".." could leave the snapshot');
  if (parts.includes('.') || parts.includes('')) throw refused(path, 'it has an empty part or a "."');
  return parts;
}

export function refused(path: BytePath, problem: string): BusyError {
  return new BusyError('PATH_REFUSED', { path: showPath(path), problem });
}
