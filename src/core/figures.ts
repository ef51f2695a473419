/** Figures in the sentences that people read: `4,012`, `1.2 GiB`, `98 %`. */

/** `4,012`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 file`, `4,012 files`. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `0 B`, `1.2 GiB`; 1024-based. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  // A thousandth early, since 1023.95 would be shown as 1024.0.
  const power = Math.min(
    units.length - 1,
    Math.max(0, Math.floor(Math.log(bytes * 1.0001) / Math.log(1024))),
  );
  return power === 0 ? `${bytes} B` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
}

/** A part from 0 to 1 in whole per cent; only nothing is 0, and only all is 100. */
export function formatShare(share: number): string {
  const percent = Math.round(share * 100);
  if (share > 0 && percent === 0) return 'under 1 %';
  return share < 1 && percent === 100 ? 'over 99 %' : `${percent} %`;
}
