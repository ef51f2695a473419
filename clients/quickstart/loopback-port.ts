/** Ports on 127.0.0.1: finding a free one, and waiting until an SSH server answers there. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const address = '127.0.0.1';
const readyLimitMs = 30_000;
const retryMs = 20;

/**
 * A port that nobody listens on. It lies below the range that outgoing connections take theirs from, so it stays
 * free while its server restarts.
 */
export async function freeLoopbackPort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    if (await isFree(port)) return port;
  }
}

/** Waits for the greeting of an SSH server; false when `hasFailed` says so first or it takes over 30 seconds. */
export async function waitForSshBanner(port: number, hasFailed: () => boolean): Promise<boolean> {
  const endMs = performance.now() + readyLimitMs;
  while (!hasFailed() && performance.now() < endMs) {
    if (await showsBanner(port)) return !hasFailed();
    await delay(retryMs);
  }
  return false;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, address);
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}

async function showsBanner(port: number): Promise<boolean> {
  const socket = connect(port, address);
  try {
    for await (const greeting of socket as AsyncIterable<Buffer>) {
      return greeting.toString('latin1').startsWith('SSH-2.0-');
    }
    return false;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
