/** The version of this BUSY, from package.json. */
import { readFileSync } from 'node:fs';

/** Compiled files lie one folder deeper than sources, so both places are tried. */
export function version(): string {
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const text = readFileSync(new URL(place, import.meta.url), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      continue;
    }
  }
  return 'unknown';
}
