/** A table that is loaded: its heads, and what is shown while there is nothing yet. */
import type { ReactNode } from 'react';

interface DataTableProps {
  /** A head that begins with `#` is of numbers, one that begins with `~` is for screen readers only. */
  readonly heads: readonly string[];
  readonly children: ReactNode;
}

export function DataTable({ heads, children }: DataTableProps) {
  return (
    <div className="scroll">
      <table>
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
    </div>
  );
}
