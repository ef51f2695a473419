/** A daemon whose hosts run programs of the test in place of rsync. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestBed } from './test-bed.js';

/** Settings of a host, and which directory of the bed it backs up; default: `source`. */
export interface HostSettings {
  readonly source?: string;
  /** A directory in that one which is a source directory too. */
  readonly inner?: string;
  readonly [setting: string]: unknown;
}

export async function prepareBed(
  initiator: string,
  programs: readonly (readonly [name: string, text: string, settings?: HostSettings])[],
) {
  const bed = await TestBed.create();
  const sshd = await bed.startSshd();
  for (const name of ['source', 'swapped', 'outside', 'backups/victim'])
    await mkdir(join(bed.directory, name));
  await writeFile(join(bed.directory, 'source/file'), 'mine');
  await writeFile(join(bed.directory, 'source/AA_AA_evil'), 'evil');
  await writeFile(join(bed.directory, 'outside/secret'), 'not asked for');
  await writeFile(join(bed.directory, 'backups/victim/file'), 'of another host');
  const hosts = [];
  for (const [name, text, { source = 'source', inner, ...settings } = {}] of programs) {
    const version = 'if [ "$1" = --version ]; then exec rsync --version; fi';
    const program = await bed.writeProgram(`programs/${name}`, `#!/bin/sh\n${version}\n${text}\n`);
    const outer = join(bed.directory, source);
    const srcdirs = inner === undefined ? [outer] : [join(outer, inner), outer];
    hosts.push(
      bed.hostAt(sshd, { name, srcdirs, rsync_path: program, initiator, idle_timeout: '2s', ...settings }),
    );
  }
  await bed.configure(hosts, { executors: 1 });
  await bed.startDaemon();
  return bed;
}

/** Everything that a run of this host may not change, with what a change would show. */
export async function listAll(bed: TestBed, host: string): Promise<string[]> {
  const own = join(bed.backupdir, host);
  const changing = ['state', 'programs', 'sshd-1', 'busyd.sock'].map((name) => join(bed.directory, name));
  const pruned = [own, ...changing].flatMap((path) => ['-path', path, '-prune', '-o']);
  const { stdout } = await promisify(execFile)('find', [
    bed.directory,
    '-ignore_readdir_race',
    // What the daemon is removing meanwhile.
    '-name',
    '.removed-*',
    '-prune',
    '-o',
    ...pruned,
    '!',
    '-path',
    bed.backupdir,
    '-printf',
    '%p %y %m %U %G %s %T@ %n\\n',
  ]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** The most that the daemon, its executors and its rsyncs have ever held, each. */
export async function peakMemories(bed: TestBed): Promise<number[]> {
  const pids = [bed.daemonPid(), ...(await bed.daemonChildren())];
  return Promise.all(pids.map(peakMemoryBytes));
}

/** The most that a process has ever held. */
async function peakMemoryBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
}
