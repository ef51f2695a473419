/** Counts, from the items that rsync names, which regular files of a job became copies and which became links. */
import { nothing, withFile, type Amount } from '../core/link-health.js';
import type { TransferStats } from '../core/snapshot.js';
import type { RsyncEvent } from './rsync-output.js';

type Item = Extract<RsyncEvent, { kind: 'item' }>;

export type LinkCounts = Pick<
  TransferStats,
  'copiedFiles' | 'copiedBytes' | 'attributeChangedFiles' | 'linkedFiles' | 'linkedBytes'
>;

/** What an item of rsync (`%i`) says of a regular file; null for anything else. */
function kindOf({ change }: Item): 'sent' | 'copied here' | 'link within' | null {
  if (change[1] !== 'f') return null;
  if (change[0] === '<' || change[0] === '>') return 'sent';
  if (change[0] === 'c') return 'copied here';
  return change[0] === 'h' ? 'link within' : null;
}

/** Whether the file was there before with the same size: not new, and neither checksum nor size differ. */
function differsInAttributes({ change }: Item): boolean {
  return change[2] !== '+' && change[2] !== 'c' && change[3] !== 's';
}

const samplesKept = 25;

export class LinkCounter {
  /** What was copied although only attributes differ. */
  attributes: Amount = nothing;
  /** The first file of these, as rsync names it. */
  example: string | null = null;
  private readonly firstSent: string[] = [];
  private readonly lastSent: string[] = [];
  private copiedFiles = 0;
  private copiedBytes = 0;
  private withinFiles = 0;
  private withinBytes = 0;

  /** Takes an item; unchanged files are not named, since they are links without more ado. */
  take(item: Item): void {
    const kind = kindOf(item);
    if (kind === null) return;
    if (kind === 'link within') {
      this.withinFiles += 1;
      this.withinBytes += item.size;
      return;
    }
    this.copiedFiles += 1;
    this.copiedBytes += item.size;
    if (!differsInAttributes(item)) return;
    this.attributes = withFile(this.attributes, item.size);
    this.example ??= item.path;
    if (kind !== 'sent') return;
    if (this.firstSent.length < samplesKept) {
      this.firstSent.push(item.path);
      return;
    }
    this.lastSent.push(item.path);
    if (this.lastSent.length > samplesKept) this.lastSent.shift();
  }

  /**
   * Some of those with other attributes that were sent, as rsync names them: their contents may differ as well. The first
   * ones, which are there before long, and the last ones.
   */
  samples(): readonly string[] {
    return [...this.firstSent, ...this.lastSent];
  }

  /**
   * The counts of a job that has ended; `missing`: files that are not in the snapshot. What was neither copied nor a
   * link to another file of the source nor missing is a link into a base. (What missing files would have had of bytes
   * nobody says, so with them `linkedBytes` is too large by that.)
   */
  counts(stats: Pick<TransferStats, 'regularFiles' | 'totalBytes'>, missing: number): LinkCounts {
    const { copiedFiles, copiedBytes, withinFiles, withinBytes } = this;
    const linkedFiles = Math.max(0, stats.regularFiles - copiedFiles - withinFiles - missing);
    return {
      copiedFiles,
      copiedBytes,
      attributeChangedFiles: this.attributes.files,
      linkedFiles,
      linkedBytes: linkedFiles === 0 ? 0 : Math.max(0, stats.totalBytes - copiedBytes - withinBytes),
    };
  }
}
