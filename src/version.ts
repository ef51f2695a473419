/** The version of this BUSY, from package.json. */
import { readFileSync } from 'node:fs';

/** Compiled files lie one folder deeper than sources, so both places are tried. */
export function version(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const { version } = JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')) as {
        version: string;
      };
      return version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}
