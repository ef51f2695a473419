/**
 * Runs this program once more in a world of its own: a network that leads nowhere, mounts that nobody else sees, and
 * processes that all end with it, whatever has become of them.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { runCommand } from '../../helpers/run-command.js';

const namespaces = [
  '--net',
  '--mount',
  '--propagation',
  'private',
  '--pid',
  '--mount-proc',
  '--fork',
  '--kill-child',
];
/** The first process of the world has to take note of the end of each that has lost its parent: a shell does. */
const first = ['/bin/sh', '-c', '"$@"; exit $?', 'sh'];
const insideMark = 'BUSY_SOAK_INSIDE';
/** So long it may take to end when it is told to. */
const endMs = 100_000;

/** Whether this program runs in such a world. */
export function isInside(): boolean {
  return process.env[insideMark] !== undefined;
}

/** Whether this user may have such a world. */
export async function canHaveOwnWorld(): Promise<boolean> {
  const { code } = await runCommand('unshare', [...namespaces, 'true']).catch(() => ({ code: null }));
  return code === 0;
}

/** The same program with the same arguments; answers its exit code. */
export async function runInside(): Promise<number> {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', [...namespaces, ...first, ...again], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [insideMark]: '1' },
  });
  const exited = once(child, 'exit');
  // No signal comes from outside to the first process of a world but the one that ends it all.
  const interrupt = (): void => {
    if (child.connected) child.send('interrupt');
    setTimeout(() => child.kill('SIGKILL'), endMs).unref();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  await exited;
  return child.exitCode ?? 1;
}

/** Inside: brings the network up, and calls `onInterrupt` when the program outside is interrupted, or has gone. */
export async function settleInside(onInterrupt: () => void): Promise<void> {
  process.on('message', onInterrupt);
  process.on('disconnect', onInterrupt);
  process.channel?.unref();
  await runCommand('ip', ['link', 'set', 'lo', 'up']);
}
