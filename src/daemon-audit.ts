/** Builds what keeps and reads the audit log; a part of the composition root. */
import { Audit } from './control/audit.js';
import { listAudit } from './control/audit-trail.js';
import type { AuditHead } from './core/audit.js';
import type { Clock, RunStore } from './core/ports.js';
import type { AuditTrailParts } from './rpc/audit.js';
import { createAuditLog } from './store/audit-log.js';

export interface DaemonAudit extends AuditTrailParts {
  readonly audit: Audit;
  /** Null as long as the log could not be read. */
  readonly auditHead: () => AuditHead | null;
}

/** Starts the audit log. Never throws: without it nothing is changed by calls, but hosts are backed up. */
export async function startAudit(parts: {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly makeRoom: () => boolean;
  readonly runs: Pick<RunStore, 'get'>;
  readonly onError: (message: string, error: unknown) => void;
}): Promise<DaemonAudit> {
  const log = createAuditLog(parts);
  const hostOfRun = (id: string): Promise<string> =>
    parts.runs.get(id).then(
      (run) => run?.host ?? '',
      () => '',
    );
  const audit = new Audit({ ...parts, log, hostOfRun });
  await audit.start();
  return {
    audit,
    auditHead: () => log.head(),
    auditTrail: {
      list: (filter) => listAudit(log, filter),
      verify: (noted) => log.verify(noted),
    },
  };
}
