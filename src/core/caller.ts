/** Who calls: what every handler may know of the other side. */

/** From least to most: see; also start, cancel and restore to where it came from; everything. */
export const roles = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof roles)[number];

/** How a caller proved who he is. */
export type Proof =
  /** He could open the unix socket. The system does not tell Node which user that is. */
  | { readonly kind: 'socket' }
  | { readonly kind: 'token'; readonly id: string }
  | { readonly kind: 'certificate'; readonly fingerprint: string; readonly expiresAt: Date };

export interface Caller {
  /** The name of his token or certificate; `socket` for whoever opens the unix socket without a token. */
  readonly name: string;
  readonly role: Role;
  /** The only hosts that exist for him; null: all. */
  readonly hosts: ReadonlySet<string> | null;
  readonly proof: Proof;
  /** His IP address; empty on a unix socket. */
  readonly address: string;
  /**
   * The address of whom he says that he calls for, as the gateway of the web page does of its browsers. Nobody checks it:
   * good for records, and for nothing else. Absent: he says nothing.
   */
  readonly saidAddress?: string;
}

/** Whether one role may do what needs the other. */
export function reaches(role: Role, needed: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(needed);
}

/** Whether a host exists for the caller. */
export function seesHost({ hosts }: Caller, host: string): boolean {
  return hosts === null || hosts.has(host);
}
