/**
 * Records to syslog, through the program `logger` of util-linux: Node cannot open the datagram socket that syslog
 * listens on. One `logger` runs as long as the daemon; one that ended is started again with the next record.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { Writable } from 'node:stream';

/** RFC 5424: facility daemon (3) times 8, and the severity. */
const priorities: Readonly<Record<string, number>> = { error: 27, warn: 28, info: 30, debug: 31 };

/** A `logger` that takes no more is not waited for: what would wait beyond this many bytes goes to the fallback. */
const mostWaiting = 256 * 1024;
/** What a `logger` that fails was given last, up to so many characters, is taken as not written. */
const mostDoubted = 16 * 1024;

/** A record as `openSyslog` takes it: each of its lines is a message of its own, with the priority in front. */
export function syslogLines(level: string, text: string): string {
  const priority = priorities[level] ?? priorities.info;
  return text
    .split('\n')
    .map((line) => `<${priority}>${line}\n`)
    .join('');
}

/**
 * Opens syslog at a socket such as /dev/log. Never throws and never waits: what cannot be written goes to `fallback`,
 * and a socket that is not there yet is tried again with the next record.
 */
export function openSyslog(socket: string, fallback: (text: string) => void): Writable {
  let child: ChildProcess | null = null;
  let doubted = '';
  const start = (): ChildProcess => {
    doubted = '';
    const started = startLogger(socket);
    started.once('error', (error) => fallback(`syslog cannot be written: ${error.message}\n`));
    started.once('close', (code) => {
      child = null;
      if (code !== 0) fallback(withoutPriorities(doubted));
    });
    started.stderr?.on('data', (text: Buffer) => fallback(text.toString()));
    return started;
  };
  return new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      child ??= start();
      const { stdin } = child;
      if (stdin?.writable && stdin.writableLength < mostWaiting) {
        stdin.write(text);
        doubted = (doubted + text).slice(-mostDoubted);
      } else {
        fallback(withoutPriorities(text));
      }
      done();
    },
  });
}

function withoutPriorities(lines: string): string {
  return lines.replace(/^<\d+>/gm, '');
}

function startLogger(socket: string): ChildProcess {
  const where = ['--socket', socket, '--socket-errors=on'];
  const how = ['--tag', 'busyd', `--id=${process.pid}`, '--size', '8KiB', '--prio-prefix'];
  // In a group of its own: a Ctrl-C in the terminal of the daemon must not end it before the last record.
  const child = spawn('logger', [...where, ...how], { stdio: ['pipe', 'ignore', 'pipe'], detached: true });
  child.stdin?.on('error', () => {});
  // It ends with its input, so the daemon need not wait for it.
  child.unref();
  for (const stream of [child.stdin, child.stderr]) (stream as { unref?(): void } | null)?.unref?.();
  return child;
}
