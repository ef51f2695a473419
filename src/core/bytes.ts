/** Sizes as people read them. */

/** `0 B`, `1.2 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  // A thousandth early, since 1023.95 would be shown as 1024.0.
  const power = Math.min(
    units.length - 1,
    Math.max(0, Math.floor(Math.log(bytes * 1.0001) / Math.log(1024))),
  );
  return power === 0 ? `${bytes} B` : `${(bytes / 1024 ** power).toFixed(1)} ${units[power]}`;
}
