/** A line to be taken elsewhere, with a button that copies it. */
import { useId, useState } from 'react';

export function CopyLine({ text, name }: { readonly text: string; readonly name: string }) {
  const [said, setSaid] = useState('');
  const id = useId();
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied.');
    } catch {
      // Without TLS a browser may not let a page do it.
      document.querySelector<HTMLTextAreaElement>(`#${CSS.escape(id)}`)?.select();
      setSaid('Selected: copy it with the keyboard.');
    }
  };
  return (
    <div className="copy-line">
      <textarea
        id={id}
        className="mono"
        readOnly
        aria-label={name}
        value={text}
        rows={Math.ceil(text.length / 80)}
        onFocus={(event) => event.target.select()}
      />
      <button type="button" onClick={() => void copy()}>
        Copy
      </button>
      <span className="faint" role="status">
        {said}
      </span>
    </div>
  );
}
