/** EnrollmentService: making hosts known. */
import type { Enrollment } from '../control/enrollment.js';
import { BusyError } from '../core/errors.js';
import type { Finding } from '../core/finding.js';
import {
  FindingState,
  type EnrollmentServiceServer,
  type Finding as FindingMessage,
} from '../gen/busy/v1/enrollment_service.js';
import { requireText } from './request-shape.js';
import type { CallAdapters } from './stream.js';

export interface EnrollmentParts {
  readonly enrollment: Pick<Enrollment, 'scan' | 'pin' | 'prepare' | 'check' | 'importKeys'>;
  /** Looks at the server itself; what is found is the answer. */
  readonly checkServer: () => Promise<readonly Finding[]>;
}

/** How the fingerprint of a key is printed on the host that has it. */
const compareCommand = 'for key in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf "$key"; done';

export function enrollmentHandlers(
  { enrollment, checkServer }: EnrollmentParts,
  calls: CallAdapters,
): EnrollmentServiceServer {
  return {
    scanHostKey: calls.unary(async ({ host }) => {
      const shown = await enrollment.scan(requireText('host', host));
      const { address, hostKey, fingerprint, pinnedFingerprint } = shown;
      return { address, hostKey, fingerprint, pinnedFingerprint, compareCommand };
    }),
    pinHostKey: calls.unary(({ host, fingerprint, replace }) =>
      enrollment.pin(requireText('host', host), readFingerprint(fingerprint), replace),
    ),
    prepareHostKeyPair: calls.unary(async ({ host }) => {
      const prepared = await enrollment.prepare(requireText('host', host));
      const { identityFile, publicKey, isNew, line, steps, notes } = prepared;
      return {
        identityFile,
        publicKey,
        isNew,
        authorizedKeysLine: line,
        steps: [...steps],
        notes: [...notes],
      };
    }),
    checkHost: calls.unary(async ({ host }) => ({
      findings: (await enrollment.check(requireText('host', host))).map(toFindingMessage),
    })),
    importHostKeys: calls.unary(async ({ knownHosts, hosts }) => ({
      findings: (await enrollment.importKeys(knownHosts, hosts)).map(toFindingMessage),
    })),
    checkServer: calls.unary(async () => ({ findings: (await checkServer()).map(toFindingMessage) })),
  };
}

const states: Readonly<Record<Finding['state'], FindingState>> = {
  ok: FindingState.OK,
  warning: FindingState.WARNING,
  problem: FindingState.PROBLEM,
};

export function toFindingMessage(finding: Finding): FindingMessage {
  return { ...finding, state: states[finding.state] };
}

function readFingerprint(text: string): string {
  if (/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(text)) return text;
  throw new BusyError('INVALID_ARGUMENT', {
    field: 'fingerprint',
    problem: 'is no SHA256 fingerprint of a key',
    allowed: 'SHA256: and 43 characters, as ssh-keygen -l prints it',
  });
}
