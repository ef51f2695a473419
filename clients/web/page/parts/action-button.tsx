/** A button that has something done, shows that it is being done, and says what went wrong. */
import { useState, type ReactNode } from 'react';
import { troubleOf } from '../api/errors.js';

export interface ActionButtonProps {
  readonly children: ReactNode;
  readonly onAction: () => Promise<void>;
  readonly kind?: 'primary' | 'danger';
  readonly isDisabled?: boolean;
}

export function ActionButton({ children, onAction, kind, isDisabled = false }: ActionButtonProps) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const act = async (): Promise<void> => {
    setBusy(true);
    setProblem('');
    try {
      await onAction();
    } catch (error) {
      setProblem(troubleOf(error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <span className="action">
      <button
        className={kind ?? ''}
        disabled={isDisabled || isBusy}
        aria-busy={isBusy}
        onClick={() => void act()}
      >
        {children}
      </button>
      <span className="action-problem" role="alert">
        {problem}
      </span>
    </span>
  );
}
