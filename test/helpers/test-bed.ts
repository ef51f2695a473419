/**
 * A test bed for the whole: a scratch directory, private sshds, a real busyd, and its clients. Everything that was
 * started is stopped by `end`, which also fails when a process of the daemon is left.
 */
import { credentials } from '@grpc/grpc-js';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processTree } from '../../clients/quickstart/process-tree.js';
import {
  startPrivateSshd,
  type PrivateSshd,
  type PrivateSshdOptions,
} from '../../clients/quickstart/private-sshd.js';
import {
  BackupServiceClient,
  BackupServiceService,
  type WatchRunsResponse,
} from '../../src/gen/busy/v1/backup_service.js';
import { DaemonServiceClient } from '../../src/gen/busy/v1/daemon_service.js';
import { HostServiceClient } from '../../src/gen/busy/v1/host_service.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { SnapshotServiceClient } from '../../src/gen/busy/v1/snapshot_service.js';
import { callMethod } from './grpc-calls.js';
import { runCommand, type CommandResult } from './run-command.js';

const root = new URL('../../', import.meta.url).pathname;

/** Settings of a host as the configuration file names them. */
export type HostSettings = Readonly<Record<string, unknown>> & { readonly name: string };

export class TestBed {
  readonly backupdir: string;
  readonly socket: string;
  readonly configFile: string;
  private readonly sshds: PrivateSshd[] = [];
  private daemon: ChildProcess | null = null;
  private log = '';

  private constructor(
    readonly directory: string,
    backupdir?: string,
  ) {
    this.backupdir = backupdir ?? join(directory, 'backups');
    this.socket = join(directory, 'busyd.sock');
    this.configFile = join(directory, 'busy.yaml');
  }

  /** `beside`: another bed, whose backup directory this one shares. */
  static async create(beside?: TestBed): Promise<TestBed> {
    const bed = new TestBed(await mkdtemp(join(tmpdir(), 'busy-test-')), beside?.backupdir);
    await mkdir(bed.backupdir, { recursive: true });
    return bed;
  }

  async startSshd(options: Partial<PrivateSshdOptions> = {}): Promise<PrivateSshd> {
    const directory = join(this.directory, `sshd-${this.sshds.length + 1}`);
    const sshd = await startPrivateSshd({ directory, ...options });
    this.sshds.push(sshd);
    return sshd;
  }

  /** The settings of a host behind a private sshd. */
  hostAt(sshd: PrivateSshd, settings: HostSettings): HostSettings {
    return {
      addresses: ['127.0.0.1'],
      port: sshd.port,
      user: sshd.user,
      identity_file: sshd.identityFile,
      host_key: sshd.hostKey,
      backupdir: this.backupdir,
      // Else the daemon backs it up by itself.
      schedule: 'never',
      verify_every: 0,
      ...settings,
    };
  }

  /** Writes the configuration. JSON is YAML too. */
  async configure(
    hosts: readonly HostSettings[],
    settings: Readonly<Record<string, unknown>> = {},
  ): Promise<void> {
    const config = {
      state_dir: join(this.directory, 'state'),
      listen: `unix:${this.socket}`,
      // Those of this machine are none of the tests' business.
      scripts: {
        pre_backup: this.scriptFile('pre-backup'),
        post_backup: this.scriptFile('post-backup'),
        pre_archive: this.scriptFile('pre-archive'),
        post_archive: this.scriptFile('post-archive'),
      },
      reserve: '1M',
      ...settings,
      hosts,
    };
    await writeFile(this.configFile, JSON.stringify(config, null, 2));
  }

  /** Writes an executable file, for example a shell script, below the directory, and answers its path. */
  async writeProgram(name: string, text: string): Promise<string> {
    const file = join(this.directory, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { mode: 0o755 });
    return file;
  }

  /** Where the configuration has a script of the server; nothing is there at first. */
  scriptFile(name: 'pre-backup' | 'post-backup' | 'pre-archive' | 'post-archive'): string {
    return join(this.directory, 'scripts', name);
  }

  /** Starts busyd and waits until it says that it is ready. */
  async startDaemon(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const child = spawn(process.execPath, [join(root, 'dist/src/main.js'), '--config', this.configFile], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.daemon = child;
    this.log = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.log += text));
    await until(
      () => /\bready\b/.test(this.log) || child.exitCode !== null || child.signalCode !== null,
      'busyd to start',
      () => this.log,
    );
    const ending = child.exitCode ?? child.signalCode;
    if (ending !== null) throw new Error(`busyd ended with ${ending}:\n${this.log}`);
  }

  /** What busyd wrote since it started. */
  daemonLog(): string {
    return this.log;
  }

  daemonPid(): number {
    const pid = this.daemon?.pid;
    if (pid === undefined) throw new Error('busyd does not run');
    return pid;
  }

  /** Sends a signal and waits until busyd has ended; answers its exit code (null after SIGKILL). */
  async stopDaemon(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.daemon;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    return child.exitCode;
  }

  /** Settles when busyd has ended by itself, or by a crash; answers the signal that ended it, if one did. */
  async daemonEnd(): Promise<NodeJS.Signals | null> {
    const child = this.daemon;
    if (child && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return child?.signalCode ?? null;
  }

  /** The daemon's descendants: executors, rsync, connectors. */
  async daemonChildren(): Promise<number[]> {
    return (await processTree(this.daemonPid())).slice(1);
  }

  get backups(): BackupServiceClient {
    return new BackupServiceClient(`unix:${this.socket}`, credentials.createInsecure());
  }

  get hosts(): HostServiceClient {
    return new HostServiceClient(`unix:${this.socket}`, credentials.createInsecure());
  }

  get snapshots(): SnapshotServiceClient {
    return new SnapshotServiceClient(`unix:${this.socket}`, credentials.createInsecure());
  }

  get info(): DaemonServiceClient {
    return new DaemonServiceClient(`unix:${this.socket}`, credentials.createInsecure());
  }

  /** Triggers a backup and answers its run. */
  async trigger(host: string, type: BackupType = BackupType.AUTO, requestId = ''): Promise<Run> {
    const client = this.backups;
    try {
      const request = { host, type, requestId, acceptChanges: false };
      const { run } = await callMethod(client, BackupServiceService.triggerBackup, request);
      if (!run) throw new Error('no run was answered');
      return run;
    } finally {
      client.close();
    }
  }

  /** Watches a run until it fulfils the condition (default: it has ended) and answers it. */
  async waitForRun(id: string, isReached: (run: Run) => boolean = hasEnded): Promise<Run> {
    const client = this.backups;
    const stream = client.watchRuns({ afterRevision: 1, host: '', runId: id });
    try {
      for await (const message of stream) {
        const { run } = message as WatchRunsResponse;
        if (run && isReached(run)) return run;
      }
      throw new Error(`the stream ended before run ${id} came so far`);
    } finally {
      // Cancelling is told as an error.
      stream.on('error', () => {});
      stream.cancel();
      client.close();
    }
  }

  /** Triggers a backup and waits for its end. */
  async backUp(host: string, type: BackupType = BackupType.AUTO): Promise<Run> {
    return this.waitForRun((await this.trigger(host, type)).id);
  }

  /** The newest run of a host, with its lists of missing files. */
  async lastRun(host: string): Promise<Run> {
    const client = this.backups;
    try {
      const page = { host, pageSize: 1, pageToken: '', states: [] };
      const { runs } = await callMethod(client, BackupServiceService.listRuns, page);
      const { run } = await callMethod(client, BackupServiceService.getRun, { id: runs[0]?.id ?? '' });
      if (!run) throw new Error(`host ${host} has no run`);
      return run;
    } finally {
      client.close();
    }
  }

  /** The directory of a snapshot. */
  snapshotPath(run: Run): string {
    return join(this.backupdir, run.host, run.snapshot);
  }

  /** The whole log of a run. */
  readRunLog(runId: string): Promise<string> {
    return readFile(join(this.directory, 'state/run-logs', `${runId}.log`), 'utf8');
  }

  /** Runs the command line client. */
  busy(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
    return runCommand(
      process.execPath,
      [join(root, 'dist/clients/cli/main.js'), '--server', `unix:${this.socket}`, ...args],
      env,
    );
  }

  /** Runs busyd with other arguments, to its end. */
  busyd(args: readonly string[]): Promise<CommandResult> {
    return runCommand(process.execPath, [join(root, 'dist/src/main.js'), ...args]);
  }

  /** Stops everything and removes the directory. Throws when a process of the daemon is left. */
  async end(): Promise<void> {
    const children =
      this.daemon?.exitCode === null && this.daemon.signalCode === null ? await this.daemonChildren() : [];
    await this.stopDaemon();
    for (const sshd of this.sshds) await sshd.stop();
    await until(() => children.every((pid) => !isAlive(pid)), 'the processes of the daemon to end');
    const removal = await runCommand('rm', ['-rf', '--', this.directory]);
    if (removal.code !== 0) await rm(this.directory, { recursive: true, force: true });
  }
}

export function hasEnded(run: Run): boolean {
  return ![RunState.QUEUED, RunState.RUNNING, RunState.CANCELLING].includes(run.state);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits for a condition; fails with a sentence after a minute. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  detail: () => string = () => '',
): Promise<void> {
  const limit = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > limit) throw new Error(`waited in vain for ${what}. ${detail()}`);
    await delay(20);
  }
}
