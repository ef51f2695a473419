/** A dialog over the page, with the button that opens it. */
import { Dialog } from 'radix-ui';
import type { ReactNode } from 'react';
import type { Role } from '../../gen/busy/v1/token_service_pb.js';
import { useRefusal } from '../api/caller.js';

interface ModalProps {
  /** The words of the button that opens it. */
  readonly opener: string;
  readonly openerKind?: 'primary' | 'danger' | 'quiet';
  /** The role without which it is not opened. */
  readonly needs?: Role;
  readonly title: string;
  readonly description: ReactNode;
  readonly children: ReactNode;
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
}

export function Modal(props: ModalProps) {
  const { opener, openerKind = '', needs, title, description, children, isOpen, onOpenChange } = props;
  const refusal = useRefusal(needs);
  return (
    <Dialog.Root open={isOpen} onOpenChange={(next) => (refusal === '' || !next) && onOpenChange(next)}>
      <Dialog.Trigger asChild>
        <button
          className={openerKind}
          aria-disabled={refusal !== ''}
          title={refusal === '' ? undefined : refusal}
        >
          {opener}
        </button>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog">
          <Dialog.Title>{title}</Dialog.Title>
          <Dialog.Description asChild>
            <div>{description}</div>
          </Dialog.Description>
          {children}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

export function ModalClose() {
  return (
    <Dialog.Close asChild>
      <button type="button" className="quiet">
        Close
      </button>
    </Dialog.Close>
  );
}
