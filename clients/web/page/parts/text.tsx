/** Texts that a host chose: names of files, lines of logs. What could hide or reorder text is shown by its number. */
import { escapeText } from '../../../cli/escape.js';

export function Foreign({ text, className }: { readonly text: string; readonly className?: string }) {
  return <bdi className={className ?? 'foreign'}>{escapeText(text)}</bdi>;
}
