/** The end of a run's log, for people who read no more of it. */
import { open } from 'node:fs/promises';

const tailBytes = 64 * 1024;

/**
 * The last whole lines of a file, oldest first, at most `count` and at most 64 KiB of them. A file that does not
 * exist has none. Throws what the system says.
 */
export async function readLastLines(file: string, count: number): Promise<string[]> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (!handle) return [];
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - tailBytes);
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    // Reading may have begun inside a line, and a line that is being written has no end yet.
    return lines.slice(start === 0 ? 0 : 1, -1).slice(-count);
  } finally {
    await handle.close();
  }
}
