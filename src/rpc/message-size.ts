/** Keeps messages below the 4 MiB that clients take by default, whatever the names in them. */
const mostBytes = 1024 * 1024;

/** Cuts items into pieces that are each about a MiB at most; `sizeOf` in bytes. */
export function cutBySize<T>(items: readonly T[], sizeOf: (item: T) => number): T[][] {
  const pieces: T[][] = [];
  let bytes = mostBytes;
  for (const item of items) {
    const size = sizeOf(item);
    if (bytes + size > mostBytes) {
      pieces.push([]);
      bytes = 0;
    }
    pieces.at(-1)?.push(item);
    bytes += size;
  }
  return pieces;
}
