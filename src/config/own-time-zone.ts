/** Where nobody names a time zone, that of the system counts. */

let own: string | undefined;

/**
 * As the system is set; a name that Node does not know is one it takes for UTC. Asked for once: each question leaves 20
 * KiB behind, and a configuration may have thousands of hosts.
 */
export function ownTimeZone(): string {
  own ??= new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return own;
}
