import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/**
 * Compares two directories with rsync, which reads every file of both and changes nothing: contents, times to the
 * nanosecond, modes, owners, hard links, ACLs and extended attributes.
 * Answers one line a difference, in rsync's itemized form; none means that `copy` is what `source` is.
 * Throws when rsync fails, for example because something cannot be read.
 */
export async function compareTrees(
  source: string,
  copy: string,
  excludes: readonly string[] = [],
): Promise<string[]> {
  const options = [
    '-aHAXSn',
    '--numeric-ids',
    '--delete',
    '--checksum',
    '--itemize-changes',
    '--modify-window=-1',
  ];
  const patterns = excludes.map((pattern) => `--exclude=${pattern}`);
  const words = ['LC_ALL=C', 'rsync', ...options, ...patterns, '--', `${source}/`, `${copy}/`];
  const rsync = spawn('env', words, {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, complaint, [code, signal]] = await Promise.all([
    text(rsync.stdout),
    text(rsync.stderr),
    once(rsync, 'close') as Promise<[number | null, string | null]>,
  ]);
  if (code !== 0) {
    throw new Error(
      `rsync ended with ${code ?? signal} while it compared ${source} with ${copy}:\n${complaint}`,
    );
  }
  return output.split('\n').filter((line) => line !== '');
}
