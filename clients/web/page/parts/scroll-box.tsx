/** Holds what may be wider than the page; it scrolls by keyboard too. */
import type { ReactNode } from 'react';

export function ScrollBox({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="scroll" role="region" aria-label={name} tabIndex={0}>
      {children}
    </div>
  );
}
