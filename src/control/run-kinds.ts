/** The kinds of runs that there are. */
import type { RunKind } from '../core/run.js';
import { archiveRun } from './archive-run.js';
import { backupRun } from './backup-run.js';
import type { KindOfRun } from './kind-of-run.js';
import type { LifecycleParts } from './lifecycle-parts.js';
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
  };
}
