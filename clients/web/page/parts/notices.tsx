/** What is said where there is nothing to show. */
import type { ReactNode } from 'react';
import { troubleOf } from '../api/errors.js';

/** Nothing is there, and what to do about it. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children !== undefined && <p>{children}</p>}
    </div>
  );
}

/** What happened, as the daemon said it. */
export function Failure({ error, onRetry }: { readonly error: unknown; readonly onRetry?: () => void }) {
  const { reason, message } = troubleOf(error);
  return (
    <div className="failure" role="alert">
      <p>{message}</p>
      {reason !== '' && <p className="reason">{reason}</p>}
      {onRetry && <button onClick={onRetry}>Try again</button>}
    </div>
  );
}

/** Holds the place of what is asked for, so that nothing jumps when it comes. */
export function Waiting({ rows = 3 }: { readonly rows?: number }) {
  return (
    <div className="waiting" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="waiting-row" />
      ))}
    </div>
  );
}
