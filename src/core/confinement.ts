/** How far an rsync that talks to a host is kept from all else on the server. Plain data, and its sentence. */

/** `auto`: as far as it goes here; `required`: no backup without it. */
export const confineModes = ['auto', 'off', 'required'] as const;
export type ConfineMode = (typeof confineModes)[number];

export interface Confinement {
  readonly mode: ConfineMode;
  /** rsync sees and changes nothing but the directory of its host. */
  readonly isBoxed: boolean;
  /** It has a network of its own, which leads nowhere; without this it still cannot make sockets. */
  readonly hasOwnNetwork: boolean;
  /** Its memory is bounded by `rsync_memory`. */
  readonly isMemoryBounded: boolean;
  /** Why it is not boxed, without a full stop; empty when it is. */
  readonly why: string;
}

/** In a few words, for people. */
export function confinementText({ isBoxed, hasOwnNetwork, isMemoryBounded, why }: Confinement): string {
  const memory = isMemoryBounded ? 'memory bounded' : 'memory not bounded, since prlimit is missing';
  if (!isBoxed) return `own process group and environment, ${memory}; no more, since ${why}`;
  const network = hasOwnNetwork ? 'no network' : 'no sockets';
  return `bwrap: the directory of its host alone, ${network}, few system calls, ${memory}`;
}
