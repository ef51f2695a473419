/** The kinds of runs that there are. */
import type { RunKind, RunRecord } from '../core/run.js';
import { archiveRun } from './archive-run.js';
import { backupRun } from './backup-run.js';
import type { Claim } from './busy-hosts.js';
import { drillRun } from './drill-run.js';
import type { KindOfRun } from './kind-of-run.js';
import type { LifecycleParts } from './lifecycle-parts.js';
import { restoreRun } from './restore-run.js';
import { verifyArchiveRun } from './verify-archive-run.js';
import { verifyRun } from './verify-run.js';

export type RunKinds = Readonly<Record<RunKind, KindOfRun>>;

export function runKinds(parts: LifecycleParts): RunKinds {
  return {
    backup: backupRun(parts),
    verify: verifyRun(parts),
    scrub: verifyRun(parts),
    archive: archiveRun(parts),
    'verify-archive': verifyArchiveRun(parts),
    restore: restoreRun(parts),
    drill: drillRun(parts),
  };
}

/** The places that a run has at hosts until it has ended. */
export function claimsOf(kinds: RunKinds, run: RunRecord): Claim[] {
  const kind = kinds[run.kind];
  const written = kind.writesTo(run);
  const own: Claim = { host: run.host, lane: kind.lane };
  return written === null ? [own] : [own, { host: written, lane: 'backup' }];
}
