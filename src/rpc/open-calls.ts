/** How many calls each caller has open at once: none may take all of the daemon's memory or descriptors. */
import type { Caller } from '../core/caller.js';
import { BusyError } from '../core/errors.js';

/** For whoever did not say who he is, by address. Nothing that he may call takes long. */
const mostOfStrangers = 32;
const mostOfCallers = 128;
/** The socket's callers all have one name. */
const mostOfSocket = 1024;

export class OpenCalls {
  readonly #counts = new Map<string, number>();

  /** Counts a call in, and answers how to count it out, which may be done twice. Throws TOO_MANY_CALLS. */
  take(caller: Caller | { readonly address: string }): () => void {
    const { key, name, most } = accountOf(caller);
    const count = this.#counts.get(key) ?? 0;
    if (count >= most) throw new BusyError('TOO_MANY_CALLS', { caller: name, count: String(count) });
    this.#counts.set(key, count + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      const rest = (this.#counts.get(key) ?? 1) - 1;
      if (rest > 0) this.#counts.set(key, rest);
      else this.#counts.delete(key);
    };
  }
}

function accountOf(caller: Caller | { readonly address: string }): {
  readonly key: string;
  readonly name: string;
  readonly most: number;
} {
  if (!('proof' in caller)) {
    const { address } = caller;
    if (address === '') return { key: 'unix', name: 'socket', most: mostOfSocket };
    return { key: `address ${address}`, name: address, most: mostOfStrangers };
  }
  const { name, proof } = caller;
  if (proof.kind === 'socket') return { key: 'socket', name, most: mostOfSocket };
  const id = proof.kind === 'token' ? proof.id : name;
  return { key: `${proof.kind} ${id}`, name, most: mostOfCallers };
}
