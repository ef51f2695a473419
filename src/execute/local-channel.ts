/**
 * A local rsync as the other side of a transfer, in the place of one on a host. So a restore to the server goes the way
 * of all others, and when this process dies the pipes end and both of them with it.
 */
import type { Readable, Writable } from 'node:stream';
import { startProcess } from './process.js';
import type { SshChannel } from './ssh.js';

/** Starts `rsync` with these words. */
export function openLocalRsync(words: readonly string[], signal: AbortSignal): SshChannel {
  const closing = new AbortController();
  const { stdin, stdout, stderr, ended } = startProcess(
    'rsync',
    words,
    AbortSignal.any([signal, closing.signal]),
  );
  const settled = ended.catch(() => ({ code: null, signal: null }));
  return {
    stdin: stdin satisfies Writable,
    stdout: stdout satisfies Readable,
    stderr,
    ended: settled,
    exited: settled,
    sendSignal: () => closing.abort(),
    close: () => closing.abort(),
  };
}
