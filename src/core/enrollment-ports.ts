/** What enrolment needs from outside; ports like those of `ports.ts`. */
import type { PublicKey, ShownKey } from './enrollment.js';
import type { Host } from './host.js';

/** The host keys that were pinned for hosts whose settings stand in the configuration file. */
export interface Pins {
  /** Empty: none. */
  of(host: string): string;
  /** Adds or replaces; it is on the disk when this settles. */
  save(host: string, hostKey: string): Promise<void>;
}

/** What enrolment needs of the machine and of the network. */
export interface HostKeys {
  /** Throws HOST_UNREACHABLE, CONNECTION_REFUSED or NOT_SSH. */
  scan(host: Host): Promise<ShownKey>;
  /** Of a pin, which may be a fingerprint itself. */
  fingerprintOf(hostKey: string): string;
  /** Makes the key pair where there is none. Throws IDENTITY_FILE_UNUSABLE. */
  prepare(host: Host): Promise<PublicKey>;
  /** What a known_hosts file has for a host; the best of its keys, or null. */
  find(knownHosts: string, host: Host): { readonly hostKey: string; readonly isRevoked: boolean } | null;
}
