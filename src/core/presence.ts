/**
 * Whether a host is online: the first of its addresses where an SSH server answers with the host's pinned key. Whoever
 * has taken one of several addresses meanwhile is not the host.
 */

/** What answers at an address, as far as it says without a login. */
export type Answer =
  /** It has the pinned key. */
  | { readonly kind: 'pinned key' }
  /** It has not; `shown` says which it has, or which it has not. */
  | { readonly kind: 'another key'; readonly shown: string }
  /** An SSH server whose key cannot be judged: none is pinned, or the handshake failed. */
  | { readonly kind: 'ssh' }
  | { readonly kind: 'nothing' }
  /** The address is a name, and nobody knows it. */
  | { readonly kind: 'no address' };

export interface AddressAnswer {
  readonly address: string;
  readonly answer: Answer;
}

export interface Presence {
  readonly isOnline: boolean;
  /** In plain words. */
  readonly reason: string;
}

/**
 * Judges what the addresses of a host answered, in their order. A host with another key at all its addresses counts as
 * online: either it was installed anew or something stands in its place, and the run that fails says so at once. Where
 * it is at some of several it is a machine that moves, and what answers in its old place is nobody's concern.
 */
export function judgePresence(answers: readonly AddressAnswer[]): Presence {
  const there =
    answers.find(({ answer }) => answer.kind === 'pinned key') ??
    answers.find(({ answer }) => answer.kind === 'ssh');
  if (there) return { isOnline: true, reason: `it answers at ${there.address}` };
  const reason = answers.map(describeAnswer).join('; ');
  const isInItsPlace = answers.length > 0 && answers.every(({ answer }) => answer.kind === 'another key');
  return { isOnline: isInItsPlace, reason };
}

function describeAnswer({ address, answer }: AddressAnswer): string {
  switch (answer.kind) {
    case 'pinned key':
    case 'ssh':
      return `it answers at ${address}`;
    case 'another key':
      return `another machine answers at ${address} (${answer.shown})`;
    case 'nothing':
      return `no SSH server answers at ${address}`;
    case 'no address':
      return `the name ${address} cannot be resolved`;
    default:
      return answer satisfies never;
  }
}
