/** Figures of the contract as people read them: int64 and timestamps become text here and nowhere else. */
import { timestampDate, type Timestamp } from '@bufbuild/protobuf/wkt';
import { formatBytes, formatCount } from '../../../cli/human-format.js';

/** "1.2 GiB". */
export function bytes(size: bigint | number): string {
  return formatBytes(Number(size));
}

/** "12,034". */
export function count(value: bigint | number): string {
  return formatCount(Number(value));
}

/** "1 file", "3 files". */
export function counted(value: bigint | number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${Number(value) === 1 ? noun : plural}`;
}

export function dateOf(time: Timestamp | undefined): Date | null {
  return time ? timestampDate(time) : null;
}
