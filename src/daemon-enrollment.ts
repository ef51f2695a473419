/** Builds enrolment; a part of the composition root. */
import { hostname } from 'node:os';
import { Enrollment, type EnrollmentParts } from './control/enrollment.js';
import type { HostKeys } from './core/ports.js';
import { fingerprintOfPin } from './execute/host-key.js';
import { keysIn } from './execute/known-hosts.js';
import { scanHostKey } from './execute/ssh-handshake.js';
import { prepareIdentity } from './execute/ssh-identity.js';

const keys: HostKeys = {
  scan: scanHostKey,
  fingerprintOf: fingerprintOfPin,
  prepare: (host) => prepareIdentity(host, `busy-${host.name}@${hostname()}`),
  find: (text, host) =>
    keysIn(text, [...host.addresses, host.hostname].filter(Boolean), host.port)[0] ?? null,
};

export function createEnrollment(parts: Omit<EnrollmentParts, 'keys'>): Enrollment {
  return new Enrollment({ ...parts, keys });
}
