import { hideUrlPassword } from '../log/redaction.js';

const longestShown = 60;

/** A text of the configuration as a problem shows it: in quotes, not too long, without passwords of URLs. */
export function quoted(text: string): string {
  const safe = hideUrlPassword(text);
  return JSON.stringify(safe.length > longestShown ? `${safe.slice(0, longestShown)}...` : safe);
}
