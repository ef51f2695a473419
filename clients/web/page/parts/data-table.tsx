/**
 * A table with its heads, in a box that scrolls where it is wider than the page. On a phone each row stands as a card, with
 * the head beside each cell; the style takes the words from variables of the table.
 */
import type { CSSProperties, ReactNode } from 'react';
import { ScrollBox } from './scroll-box.js';

interface DataTableProps {
  /** What the table is of. */
  readonly name: string;
  /** A head that begins with `#` is of numbers, one that begins with `~` is for screen readers only. */
  readonly heads: readonly string[];
  readonly children: ReactNode;
}

export function DataTable({ name, heads, children }: DataTableProps) {
  return (
    <ScrollBox name={name}>
      <table style={headVariables(heads)}>
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col" className={head.startsWith('#') ? 'number' : undefined}>
                {head.startsWith('~') ? (
                  <span className="unseen">{head.slice(1)}</span>
                ) : (
                  head.replace('#', '')
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </ScrollBox>
  );
}

function headVariables(heads: readonly string[]): CSSProperties {
  const words = heads.map((head) => (head.startsWith('~') ? '' : head.replace('#', '')));
  return Object.fromEntries(words.map((word, index) => [`--head-${index + 1}`, JSON.stringify(word)]));
}
