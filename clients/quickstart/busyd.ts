/** The daemon of the quickstart: its configuration, its start, and the way to call it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { PrivateSshd } from './private-sshd.js';

export interface QuickstartSettings {
  readonly scratch: string;
  /** The file of the daemon's socket. */
  readonly socket: string;
  readonly sshd: PrivateSshd;
  readonly source: string;
  readonly excludes: readonly string[];
}

const startLimitMs = 60_000;

/** Writes the configuration for one host, this machine, makes its backup directory, and answers the file. */
export async function writeConfig({
  scratch,
  socket,
  sshd,
  source,
  excludes,
}: QuickstartSettings): Promise<string> {
  const backupdir = join(scratch, 'backups');
  await mkdir(backupdir);
  const config = {
    state_dir: join(scratch, 'state'),
    listen: [`unix:${socket}`],
    stop_grace: '1s',
    // Not those of a BUSY that is installed on this machine.
    scripts: { pre_backup: join(scratch, 'pre-backup'), post_backup: join(scratch, 'post-backup') },
    hosts: [
      {
        name: 'localhost',
        hostname: 'localhost',
        addresses: ['127.0.0.1'],
        port: sshd.port,
        user: sshd.user,
        identity_file: sshd.identityFile,
        host_key: sshd.hostKey,
        backupdir,
        srcdirs: [source],
        schedule: 'never',
        excludes,
      },
    ],
  };
  const file = join(scratch, 'busy.yaml');
  await writeFile(file, stringify(config, { lineWidth: 0 }));
  return file;
}

/**
 * Starts the daemon in a process group of its own, so that a Ctrl-C in this terminal does not reach it.
 * Answers its pid when its socket is there; throws with its log when it ended before.
 */
export async function startBusyd(
  program: string,
  configFile: string,
  socket: string,
  logFile: string,
): Promise<number> {
  const log = await open(logFile, 'w');
  const busyd = spawn(process.execPath, [program, '--config', configFile], {
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  await Promise.all([once(busyd, 'spawn'), log.close()]);
  busyd.unref();
  const endMs = performance.now() + startLimitMs;
  while (!existsSync(socket)) {
    const hasEnded = busyd.exitCode !== null || busyd.signalCode !== null;
    if (hasEnded || performance.now() > endMs) {
      busyd.kill();
      throw new Error(`busyd did not start. Its log says:\n${await readFile(logFile, 'utf8')}`);
    }
    await delay(50);
  }
  return busyd.pid ?? 0;
}
