/** Builds what looks after the space on backup disks; a part of the composition root. */
import type { Pruner } from './control/pruner.js';
import type { RunLifecycle } from './control/run-lifecycle.js';
import { SpaceGuard, type SpaceGuardParts } from './control/space-guard.js';
import { SpaceReporter, type SpaceReportParts } from './control/space-report.js';
import { spaceDisk } from './execute/disk.js';

export type SpaceParts = Omit<SpaceGuardParts & SpaceReportParts, 'disk' | 'bytesDone' | 'expire'> & {
  readonly snapshotDisk: Omit<SpaceReportParts['disk'], keyof typeof spaceDisk>;
  /** These are built later. */
  readonly pruner: () => Pick<Pruner, 'expire'>;
  readonly lifecycle: () => Pick<RunLifecycle, 'progress'>;
};

export function createSpace(parts: SpaceParts): { space: SpaceGuard; spaceReporter: SpaceReporter } {
  return {
    space: new SpaceGuard({
      ...parts,
      disk: spaceDisk,
      bytesDone: (id) => parts.lifecycle().progress(id)?.bytesDone ?? 0,
      expire: (some) => parts.pruner().expire(some),
    }),
    spaceReporter: new SpaceReporter({ ...parts, disk: { ...spaceDisk, ...parts.snapshotDisk } }),
  };
}
