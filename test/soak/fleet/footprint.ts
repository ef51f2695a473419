/** What the daemon holds of the machine. */
import { readdirSync, readFileSync } from 'node:fs';
import { Disagreement } from '../disagreement.js';

export interface Footprint {
  readonly rssBytes: number;
  readonly descriptors: number;
  readonly children: number;
}

/** No daemon may ever have more. */
const mostRssBytes = 400 * 1024 * 1024;
const mostDescriptors = 400;
const mostChildren = 60;

/** Null when the process has ended. */
export function footprintOf(pid: number): Footprint | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? [];
    return {
      rssBytes: 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0),
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      children: children.length,
    };
  } catch {
    return null;
  }
}

/** The most that was ever seen. */
export class Peaks {
  rssBytes = 0;
  descriptors = 0;
  children = 0;

  /** Throws a Disagreement when it is too much. */
  note(footprint: Footprint): void {
    this.rssBytes = Math.max(this.rssBytes, footprint.rssBytes);
    this.descriptors = Math.max(this.descriptors, footprint.descriptors);
    this.children = Math.max(this.children, footprint.children);
    const { rssBytes, descriptors, children } = footprint;
    if (rssBytes > mostRssBytes || descriptors > mostDescriptors || children > mostChildren)
      throw new Disagreement(`the daemon has grown: ${JSON.stringify(footprint)}`);
  }
}
