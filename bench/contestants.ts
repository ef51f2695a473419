/** Who copies the trees: rsync by hand over the system's ssh, and the daemon with either initiator. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { PrivateSshd } from '../clients/quickstart/private-sshd.js';
import { BackupType, RunState } from '../src/gen/busy/v1/run.js';
import { runCommand } from '../test/helpers/run-command.js';
import { type TestBed } from '../test/helpers/test-bed.js';
import { cpuOfEndedChildren, cpuOfTree } from './cpu-time.js';
import { measure, type Measurement } from './measurement.js';
import { remove } from './scratch.js';

export interface Contestant {
  readonly name: string;
  /** Copies a tree wholly. */
  full(tree: string): Promise<Measurement>;
  /** Copies it again; what has not changed becomes links into the copy that `full` made last. */
  incremental(tree: string): Promise<Measurement>;
  /** Removes all copies of a tree. */
  clear(tree: string): Promise<void>;
}

export interface Place {
  readonly directory: string;
  readonly bed: TestBed;
  readonly sshd: PrivateSshd;
}

/** rsync with options, over the system's ssh, and a `sync -f` of the copy, as the daemon does it. */
export async function rsyncBySsh(
  place: Place,
  name: string,
  options: readonly string[],
): Promise<Contestant> {
  const { directory, sshd } = place;
  const knownHosts = join(directory, 'known_hosts');
  await writeFile(knownHosts, `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n`);
  const settings = {
    UserKnownHostsFile: knownHosts,
    GlobalKnownHostsFile: '/dev/null',
    StrictHostKeyChecking: 'yes',
    IdentitiesOnly: 'yes',
    BatchMode: 'yes',
    ControlMaster: 'no',
    ControlPath: 'none',
  };
  const sshOptions = Object.entries(settings).map(([setting, value]) => `-o ${setting}=${value}`);
  const ssh = `ssh -F /dev/null -p ${sshd.port} -i ${sshd.identityFile} ${sshOptions.join(' ')}`;
  // The daemon keeps each source directory under its own path, and rsync 3.5 looks at every part of the path of a link
  // base for every file. So the copies by hand lie as deep as the snapshots do, or they would win by their place.
  const copies = (tree: string): string =>
    join(directory, 'copies', name.replace(/[^\w]+/g, '-'), basename(tree));
  let count = 0;
  const nth = (tree: string, suffix: string): string => join(copies(tree), `${count}${suffix}`, 'data', tree);
  const copy = async (tree: string, more: readonly string[], destination: string): Promise<void> => {
    await mkdir(destination, { recursive: true });
    await must('rsync', [
      ...options,
      ...more,
      '-e',
      ssh,
      `${sshd.user}@127.0.0.1:${tree}/`,
      `${destination}/`,
    ]);
    await must('sync', ['-f', '--', destination]);
  };
  return {
    name,
    full: (tree) => {
      count += 1;
      return measure(() => copy(tree, [], nth(tree, 'f')), cpuOfEndedChildren);
    },
    incremental: (tree) =>
      measure(() => copy(tree, [`--link-dest=${nth(tree, 'f')}`], nth(tree, 'i')), cpuOfEndedChildren),
    clear: (tree) => remove(copies(tree)),
  };
}

/** The daemon, which must run. The time is that from the call that asks for the backup to the end of its run. */
export function daemonBackups(bed: TestBed, name: string, hostOf: (tree: string) => string): Contestant {
  const backUp = async (tree: string, type: BackupType): Promise<void> => {
    const run = await bed.backUp(hostOf(tree), type);
    if (run.state !== RunState.SUCCEEDED) {
      throw new Error(`The backup of ${run.host} failed: ${run.error?.message ?? 'for no known reason'}`);
    }
    const sent = run.jobs.reduce((sum, job) => sum + (job.stats?.filesTransferred ?? 0), 0);
    if (sent > 0 !== (type === BackupType.FULL)) {
      throw new Error(`The backup of ${run.host} sent ${sent} files, which is not what its type says.`);
    }
  };
  const cpu = (): Promise<number> => cpuOfTree(bed.daemonPid());
  return {
    name,
    full: (tree) => measure(() => backUp(tree, BackupType.FULL), cpu),
    incremental: (tree) => measure(() => backUp(tree, BackupType.INCREMENTAL), cpu),
    clear: (tree) => remove(join(bed.backupdir, hostOf(tree))),
  };
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand(program, args);
  if (code !== 0) throw new Error(`${program} ended with code ${code}: ${stderr.trim()}`);
}
