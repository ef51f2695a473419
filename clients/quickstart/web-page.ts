/** The web page of the quickstart: a gateway before its daemon, until it is told to stop. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

export interface WebPageSettings {
  /** The compiled programs. */
  readonly busy: string;
  readonly busyWeb: string;
  /** The file of the daemon's socket. */
  readonly socket: string;
}

export interface WebPage {
  /** Logs in whoever opens it: the part behind `#` is sent to nobody but the page itself. */
  readonly address: string;
  readonly pid: number;
  /** Settles when `signal` is aborted and the gateway has ended; throws when it ends by itself. */
  untilStopped(signal: AbortSignal): Promise<void>;
}

/** Starts the gateway on a free port of this machine. Throws with what it says when it does not start. */
export async function openWebPage({ busy, busyWeb, socket }: WebPageSettings): Promise<WebPage> {
  const server = ['--server', `unix:${socket}`];
  const create = ['--json', 'token', 'create', '--role', 'admin', '--expires', '1d'];
  const { stdout } = await promisify(execFile)(process.execPath, [busy, ...server, ...create]);
  const { token } = JSON.parse(stdout) as { readonly token: string };
  // In a group of its own: a Ctrl-C in this terminal is told to it once, by us.
  const gateway = spawn(process.execPath, [busyWeb, '--listen', '127.0.0.1:0', ...server], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const address = `${await printedAddress(gateway)}#token=${encodeURIComponent(token)}`;
  return {
    address,
    pid: gateway.pid ?? 0,
    untilStopped: async (signal) => {
      const ended = once(gateway, 'exit');
      const stop = (): void => void gateway.kill();
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
      await ended;
      if (!signal.aborted) throw new Error('The web page ended by itself.');
    },
  };
}

async function printedAddress(gateway: ChildProcess): Promise<string> {
  let said = '';
  let complaint = '';
  gateway.stderr?.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  gateway.stdout?.setEncoding('utf8');
  for await (const text of gateway.stdout ?? []) {
    said += text as string;
    const [address] = /https?:\S+/.exec(said) ?? [];
    if (address !== undefined) return address;
  }
  throw new Error(`The web page did not start. ${complaint}${said}`);
}
