/**
 * A real sshd of our own on 127.0.0.1, for the quickstart and for tests. Its keys, its configuration and its log lie
 * in one directory; the SSH set-up of the machine and of the user is neither read nor changed.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { killProcessTree, stopProcessTree } from './process-tree.js';
import { freeLoopbackPort, waitForSshBanner } from './loopback-port.js';
import { keyFingerprint, makeKeyPair, type KeyType } from './ssh-keys.js';
import { sshdConfig } from './sshd-config.js';

export interface PrivateSshdOptions {
  /** Where keys, configuration and log go; made when missing. */
  readonly directory: string;
  /** The first one is `hostKey`. Default: ed25519. */
  readonly hostKeyTypes?: readonly [KeyType, ...KeyType[]];
  /** The only command that the key may run, for example `rrsync -ro /srv`; everything else is then restricted too. */
  readonly forceCommand?: string;
  /** PATH of the sessions, so that other programs than the machine's own can come first. */
  readonly path?: string;
  /** HOME of the sessions: an empty one keeps the start-up files of the user's shell out of them. */
  readonly home?: string;
  /** The sshd does not get the signals of our terminal and outlives this process, until it is stopped by its pid. */
  readonly isDetached?: boolean;
}

/**
 * Starts an sshd that accepts one key (`identityFile`) for the current user.
 * Resolves when the port answers as an SSH server; throws with the log of sshd when it does not start.
 */
export async function startPrivateSshd(options: PrivateSshdOptions): Promise<PrivateSshd> {
  const { directory, hostKeyTypes = ['ed25519'], forceCommand } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // sshd gives up its privileges in this directory, which the system's start script makes where there is one.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const clientKey = await makeKeyPair(join(directory, 'client_key'), 'ed25519');
  const limits =
    forceCommand === undefined ? '' : `restrict,command="${forceCommand.replaceAll('"', '\\"')}" `;
  await writeFile(join(directory, 'authorized_keys'), `${limits}${clientKey}\n`, { mode: 0o600 });
  const sshd = new PrivateSshd(directory, await freeLoopbackPort(), hostKeyTypes, options);
  await sshd.changeHostKey();
  return sshd;
}

export class PrivateSshd {
  readonly user = userInfo().username;
  /** The private key that may log in; the public one is beside it with `.pub`. */
  readonly identityFile: string;
  readonly logFile: string;
  /** The public host key, `ssh-ed25519 AAAA...`. */
  hostKey = '';
  #child: ChildProcess | null = null;

  constructor(
    readonly directory: string,
    readonly port: number,
    private readonly hostKeyTypes: readonly [KeyType, ...KeyType[]],
    private readonly options: Pick<PrivateSshdOptions, 'path' | 'home' | 'isDetached'>,
  ) {
    this.identityFile = join(directory, 'client_key');
    this.logFile = join(directory, 'sshd.log');
  }

  /** The fingerprint of `hostKey`, `SHA256:...`. */
  get fingerprint(): string {
    return keyFingerprint(this.hostKey);
  }

  /** The process that listens; undefined while it is stopped. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Ends sshd and its sessions politely. A stopped one may be started again with `restart`. */
  async stop(): Promise<void> {
    await this.#end(stopProcessTree);
  }

  /** Ends sshd and its sessions without any farewell, as a crash of the machine would: connections are cut. */
  async kill(): Promise<void> {
    await this.#end(killProcessTree);
  }

  /** Stops sshd if it runs, and starts it on the same port with the same keys. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#start();
  }

  /** Restarts with new host keys, so that clients who pinned the old one must refuse it. */
  async changeHostKey(): Promise<void> {
    await this.stop();
    const keys: string[] = [];
    for (const type of this.hostKeyTypes) keys.push(await makeKeyPair(this.#hostKeyFile(type), type));
    this.hostKey = keys[0] ?? '';
    await this.#start();
  }

  async #start(): Promise<void> {
    const configFile = join(this.directory, 'sshd_config');
    const config = await sshdConfig({
      port: this.port,
      hostKeyFiles: this.hostKeyTypes.map((type) => this.#hostKeyFile(type)),
      authorizedKeysFile: join(this.directory, 'authorized_keys'),
      path: this.options.path,
      home: this.options.home,
    });
    await writeFile(configFile, config);
    const log = await open(this.logFile, 'a');
    const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', configFile], {
      stdio: ['ignore', log.fd, log.fd],
      detached: this.options.isDetached === true,
    });
    // Listens at once: the event comes before the log would be closed.
    await Promise.all([once(child, 'spawn'), log.close()]);
    this.#child = child;
    if (this.options.isDetached) child.unref();
    else process.on('exit', this.#killAtExit);
    if (await waitForSshBanner(this.port, () => child.exitCode !== null || child.signalCode !== null)) return;
    await this.kill();
    throw new Error(
      `sshd did not start on port ${this.port}. Its log says:\n${await readFile(this.logFile, 'utf8')}`,
    );
  }

  async #end(endTree: (pid: number) => Promise<void>): Promise<void> {
    const child = this.#child;
    this.#child = null;
    process.off('exit', this.#killAtExit);
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    await endTree(child.pid);
    await exited;
  }

  /** A test that ends in the middle leaves no listener behind. */
  readonly #killAtExit = (): void => {
    this.#child?.kill('SIGKILL');
  };

  #hostKeyFile(type: KeyType): string {
    return join(this.directory, `host_${type}_key`);
  }
}
