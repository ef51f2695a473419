/** The kinds of runs that there are. */
import type { RunKind } from '../core/run.js';
import { backupRun } from './backup-run.js';
import { drillRun } from './drill-run.js';
import type { KindOfRun } from './kind-of-run.js';
import type { LifecycleParts } from './lifecycle-parts.js';
import { verifyRun } from './verify-run.js';

export type RunKinds = Readonly<Record<RunKind, KindOfRun>>;

export function runKinds(parts: LifecycleParts): RunKinds {
  return {
    backup: backupRun(parts),
    verify: verifyRun(parts),
    scrub: verifyRun(parts),
    drill: drillRun(parts),
  };
}
