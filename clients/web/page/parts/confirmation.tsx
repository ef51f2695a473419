/** Asks for a word before something is done that cannot easily be taken back. */
import { useState, type ReactNode } from 'react';
import type { Role } from '../../gen/busy/v1/token_service_pb.js';
import { ActionButton } from './action-button.js';
import { Modal, ModalClose } from './modal.js';

interface ConfirmationProps {
  readonly opener: string;
  readonly title: string;
  /** What will be done, and what will not. */
  readonly children: ReactNode;
  /** What has to be typed; empty: nothing. */
  readonly word: string;
  /** The words of the button that does it. */
  readonly action: string;
  readonly needs: Role;
  readonly onConfirm: () => Promise<void>;
}

export function Confirmation(props: ConfirmationProps) {
  const { opener, title, children, word, action, needs, onConfirm } = props;
  const [isOpen, setOpen] = useState(false);
  const [typed, setTyped] = useState('');
  const change = (next: boolean): void => {
    setTyped('');
    setOpen(next);
  };
  return (
    <Modal
      opener={opener}
      openerKind="danger"
      needs={needs}
      title={title}
      description={children}
      isOpen={isOpen}
      onOpenChange={change}
    >
      {word !== '' && <TypedWord word={word} typed={typed} onType={setTyped} />}
      <div className="headline dialog-end">
        <ActionButton
          kind="danger"
          hindrance={typed === word ? '' : `Type ${word} first.`}
          onAction={async () => {
            await onConfirm();
            change(false);
          }}
        >
          {action}
        </ActionButton>
        <ModalClose />
      </div>
    </Modal>
  );
}

export function TypedWord(props: {
  readonly word: string;
  readonly typed: string;
  readonly onType: (text: string) => void;
}) {
  return (
    <label className="field typed-word">
      <span>
        Type <b className="mono">{props.word}</b> to confirm
      </span>
      <input
        value={props.typed}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => props.onType(event.target.value)}
      />
    </label>
  );
}
