/** What is done on a backup disk in a thread of its own, and what such a thread says. Plain data. */
import type { Facts, Reason } from '../core/errors.js';
import type { BytePath } from '../core/byte-path.js';
import type { ArchiveCheckReport, ArchiveCheckTask } from './archive-check.js';
import type { ArchiveChoiceReport, ArchiveChoiceTask } from './archive-choice.js';
import type { ComparisonReport, ComparisonTask } from './comparison.js';
import type { DrillComparisonReport, DrillComparisonTask } from './drill-comparison.js';
import type { DrillSelectionReport, DrillSelectionTask } from './drill-selection.js';
import type { DownloadLookReport, DownloadLookTask } from './download-look.js';
import type { OriginalChoiceReport, OriginalChoiceTask } from './original-choice.js';
import type { SearchReport, SearchTask } from './damage-search.js';
import type { ManifestReport, ManifestTask } from './manifest.js';

/** Each kind of work, what it needs, and what it answers. */
export interface DiskWorks {
  readonly manifest: { readonly task: ManifestTask; readonly report: ManifestReport };
  readonly search: { readonly task: SearchTask; readonly report: SearchReport };
  readonly archiveCheck: { readonly task: ArchiveCheckTask; readonly report: ArchiveCheckReport };
  readonly 'archive choice': { readonly task: ArchiveChoiceTask; readonly report: ArchiveChoiceReport };
  readonly 'original choice': { readonly task: OriginalChoiceTask; readonly report: OriginalChoiceReport };
  readonly 'download look': { readonly task: DownloadLookTask; readonly report: DownloadLookReport };
  readonly 'drill selection': { readonly task: DrillSelectionTask; readonly report: DrillSelectionReport };
  readonly 'drill comparison': {
    readonly task: DrillComparisonTask;
    readonly report: DrillComparisonReport;
  };
  readonly comparison: { readonly task: ComparisonTask; readonly report: ComparisonReport };
}

export type DiskWorkKind = keyof DiskWorks;
export type DiskReport = DiskWorks[DiskWorkKind]['report'];
export type DiskWork = {
  [K in DiskWorkKind]: { readonly kind: K; readonly task: DiskWorks[K]['task'] };
}[DiskWorkKind];

/** What a thread starts with. */
export interface DiskOrder {
  readonly work: DiskWork;
  /** Its only number becomes 1 when the work is cancelled. */
  readonly cancelled: Int32Array;
  /** Others go first, on the processor. */
  readonly isIdle: boolean;
}

export type DiskMessage =
  /** `thread`: the number of the thread, as the system has it. */
  | { readonly kind: 'started'; readonly thread: string }
  | {
      readonly kind: 'progress';
      readonly entries: number;
      readonly bytes: number;
      readonly current: BytePath;
    }
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'done'; readonly report: DiskReport }
  /** `reason` is null for what the system said. */
  | {
      readonly kind: 'failed';
      readonly reason: Reason | null;
      readonly facts: Facts;
      readonly message: string;
    };
