/**
 * Hands a finished message to the local sendmail program. The transport of the mail library can neither be stopped
 * nor does it read what the program complains of, so the program is started here.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface Envelope {
  readonly from: string;
  readonly to: string;
}

const longestComplaint = 2000;

/**
 * Runs `program -i -f FROM TO` with the message on its standard input; settles when it has taken the message. When
 * `signal` is aborted the program and what it started are killed. Throws an Error that says what went wrong.
 */
export async function handToSendmail(
  program: string,
  envelope: Envelope,
  message: Buffer,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(program, ['-i', '-f', envelope.from, envelope.to], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Its own group, so that nothing it started is left behind.
    detached: true,
    env: { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
  const ended = endOf(child, signal);
  // Without a descriptor left it has no pipes either, and its end says so.
  if (child.pid === undefined) await ended;
  const complaint = { text: '' };
  collect(child.stdout, complaint);
  collect(child.stderr, complaint);
  // A program that ends without reading says why by its exit code.
  child.stdin.on('error', () => {});
  child.stdin.end(message);
  const ending = await ended;
  signal.throwIfAborted();
  if (ending === 'code 0') return;
  const words = complaint.text.trim();
  throw new Error(`${program} ended with ${ending}${words === '' ? '' : `: ${words}`}`);
}

function collect(stream: Readable, complaint: { text: string }): void {
  stream.on('data', (chunk: Buffer) => {
    complaint.text = (complaint.text + chunk.toString('utf8')).slice(0, longestComplaint);
  });
}

/** By `exit`, not `close`: a delivery that goes on in the background may keep the pipes open. */
function endOf(child: ChildProcess, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const kill = (): void => killGroup(child);
    signal.addEventListener('abort', kill, { once: true });
    child.once('error', (error) => {
      signal.removeEventListener('abort', kill);
      reject(error);
    });
    child.once('exit', (code, killedBy) => {
      signal.removeEventListener('abort', kill);
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(killedBy === null ? `code ${code}` : `signal ${killedBy}`);
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has ended already.
  }
}
