/** AuditService: who changed what. */
import type { AuditEntry, AuditFilter } from '../control/audit-trail.js';
import type { AuditVerdict } from '../core/audit.js';
import {
  AuditOutcome,
  type AuditEntry as EntryMessage,
  type AuditServiceServer,
  type VerifyAuditResponse,
} from '../gen/busy/v1/audit_service.js';
import { readPageStart, toPage } from './page.js';
import { requireAtMost } from './request-shape.js';
import type { CallAdapters } from './stream.js';

export interface AuditTrailParts {
  readonly auditTrail: {
    list(filter: AuditFilter): Promise<readonly AuditEntry[]>;
    /** `noted`: the hash of a line that must be there, or empty. */
    verify(noted: string): Promise<AuditVerdict>;
  };
}

/** In hexadecimal digits. */
const hashLength = 64;

const outcomes: Readonly<Record<AuditEntry['outcome'], AuditOutcome>> = {
  ok: AuditOutcome.OK,
  failed: AuditOutcome.FAILED,
  refused: AuditOutcome.REFUSED,
  unknown: AuditOutcome.UNKNOWN,
};

export function auditHandlers({ auditTrail }: AuditTrailParts, calls: CallAdapters): AuditServiceServer {
  return {
    listAudit: calls.unary(async (request) => {
      const { size, after } = readPageStart('audit', request);
      const entries = await auditTrail.list({
        host: request.host || null,
        caller: request.caller || null,
        since: request.since ?? null,
        before: after === null ? null : Number(after),
        limit: size + 1,
      });
      const page = toPage('audit', entries, { size, keyOf: ({ sequence }) => String(sequence) });
      return { entries: page.items.map(toMessage), nextPageToken: page.nextPageToken };
    }),
    verifyAudit: calls.unary(async ({ notedHash }) => {
      const noted = requireAtMost('noted_hash', notedHash, hashLength);
      return toVerdictMessage(await auditTrail.verify(noted), noted);
    }),
  };
}

function toMessage({ caller, outcome, endedAt, ...entry }: AuditEntry): EntryMessage {
  return {
    ...entry,
    caller: caller.name,
    role: caller.role,
    address: caller.address,
    tokenId: caller.tokenId ?? '',
    saidAddress: caller.saidAddress ?? '',
    outcome: outcomes[outcome],
    endedAt: endedAt ?? undefined,
  };
}

function toVerdictMessage(
  { lines, head, torn, broken, hasNoted }: AuditVerdict,
  noted: string,
): VerifyAuditResponse {
  const isMissing = noted !== '' && !hasNoted;
  const missing = isMissing
    ? 'no line has the noted hash: the end of the log was taken off, or all of it written anew'
    : '';
  return {
    isWhole: broken === null && !isMissing,
    brokenFile: broken?.file ?? '',
    brokenLine: broken?.line ?? 0,
    problem: broken?.problem ?? missing,
    lines,
    headSequence: head.sequence,
    headHash: head.hash,
    tornLines: torn,
  };
}
