/** A button that has something done, shows that it is being done, and says what went wrong. */
import { useId, useState, type ReactNode } from 'react';
import type { Role } from '../../gen/busy/v1/token_service_pb.js';
import { useRefusal } from '../api/caller.js';
import { troubleOf } from '../api/errors.js';

export interface ActionButtonProps {
  readonly children: ReactNode;
  readonly onAction: () => Promise<void>;
  readonly kind?: 'primary' | 'danger';
  /** The role without which the daemon would refuse it. */
  readonly needs?: Role;
  /** Why it cannot be done now, whoever asks. */
  readonly hindrance?: string;
}

export function ActionButton({ children, onAction, kind, needs, hindrance = '' }: ActionButtonProps) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const refusal = useRefusal(needs) || hindrance;
  const reasonId = useId();
  const act = async (): Promise<void> => {
    if (refusal !== '' || isBusy) return;
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
      {/* Not `disabled`: then nobody with a keyboard would learn why. */}
      <button
        type="button"
        className={kind ?? ''}
        aria-disabled={refusal !== '' || isBusy}
        aria-busy={isBusy}
        aria-describedby={refusal === '' ? undefined : reasonId}
        title={refusal === '' ? undefined : refusal}
        onClick={() => void act()}
      >
        {children}
      </button>
      {refusal !== '' && (
        <span id={reasonId} className="unseen">
          {refusal}
        </span>
      )}
      <span className="action-problem" role="alert">
        {problem}
      </span>
    </span>
  );
}

/** Says once, for all to see, why the buttons beside it cannot be used. */
export function RoleNote({ needs }: { readonly needs: Role }) {
  const refusal = useRefusal(needs);
  return refusal === '' ? null : <p className="faint role-note">{refusal}</p>;
}
