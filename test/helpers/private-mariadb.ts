/**
 * A real MariaDB of our own on 127.0.0.1, with its data in a scratch directory; no other server is touched. It may be
 * stopped, killed, frozen and started again on the same port, so that tests see a database that goes away.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freeLoopbackPort } from '../../clients/quickstart/loopback-port.js';
import type { MysqlAddress } from '../../src/core/database-address.js';

const server = '/usr/sbin/mariadbd';
const startLimitMs = 60_000;
const login = { user: 'busy', password: "ge:h/e@i#m 'ü" };

export class PrivateMariadb {
  readonly socket: string;
  private child: ChildProcess | null = null;
  private databases = 0;

  private constructor(
    readonly directory: string,
    readonly port: number,
  ) {
    this.socket = join(directory, 'mariadb.sock');
  }

  static async start(): Promise<PrivateMariadb> {
    const directory = await mkdtemp(join(tmpdir(), 'busy-mariadb-'));
    const mariadb = new PrivateMariadb(directory, await freeLoopbackPort());
    await mariadb.install();
    await mariadb.restart();
    const { user, password } = login;
    await mariadb.sql(`CREATE USER '${user}'@'%' IDENTIFIED BY '${password.replaceAll("'", "''")}'`);
    return mariadb;
  }

  /** The process; undefined while it is stopped. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** A new, empty database, for a user who may do everything in it and nothing beside it. */
  async freshDatabase(): Promise<MysqlAddress> {
    this.databases += 1;
    const name = `busy_${this.databases}`;
    // Not utf8mb4: that must not depend on who made the database.
    await this.sql(`CREATE DATABASE ${name} CHARACTER SET latin1`);
    await this.sql(`GRANT ALL PRIVILEGES ON ${name}.* TO '${login.user}'@'%'`);
    const place = { host: '127.0.0.1', port: this.port, socket: '' };
    return { kind: 'mysql', ...place, ...login, passwordVariable: '', passwordFile: '', name };
  }

  /** What the server answers to an administrator, one row a line, columns with tabs between them. */
  async sql(statements: string): Promise<string> {
    const args = [
      '--no-defaults',
      '--user=root',
      `--socket=${this.socket}`,
      '--batch',
      '--skip-column-names',
    ];
    return run('mariadb', [...args, '--default-character-set=utf8mb4', '--execute', statements]);
  }

  /** Starts it, if it does not run, and waits until it answers. */
  async restart(): Promise<void> {
    if (this.child) return;
    const log = await open(join(this.directory, 'server.log'), 'a');
    const child = spawn(server, this.serverArgs(), { stdio: ['ignore', log.fd, log.fd] });
    await Promise.all([once(child, 'spawn'), log.close()]);
    this.child = child;
    process.on('exit', this.killAtExit);
    const endMs = performance.now() + startLimitMs;
    while (!(await this.answers())) {
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      if (!hasEnded && performance.now() < endMs) {
        await delay(20);
        continue;
      }
      await this.kill();
      throw new Error(
        `mariadbd did not start:\n${await readFile(join(this.directory, 'server.log'), 'utf8')}`,
      );
    }
  }

  /** Ends it politely: clients are told. */
  stop(): Promise<void> {
    return this.endBy('SIGTERM');
  }

  /** Ends it as a crash would. */
  kill(): Promise<void> {
    return this.endBy('SIGKILL');
  }

  /** It goes on to accept connections, and answers nobody. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** Ends it and removes all that it kept. */
  async end(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** Of its own: a server that starts clears what another one has in it. */
  private get tmpdir(): string {
    return join(this.directory, 'tmp');
  }

  private async install(): Promise<void> {
    const owner = process.getuid?.() === 0 ? await idsOf('mysql') : null;
    await mkdir(this.tmpdir);
    if (owner) {
      await chmod(this.directory, 0o755);
      for (const directory of [this.directory, this.tmpdir]) await chown(directory, owner.uid, owner.gid);
    }
    await run('mariadb-install-db', [
      ...this.commonArgs(),
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
    ]);
  }

  private commonArgs(): string[] {
    return [
      '--no-defaults',
      `--datadir=${join(this.directory, 'data')}`,
      `--tmpdir=${this.tmpdir}`,
      '--innodb-log-file-size=4M',
      ...(process.getuid?.() === 0 ? ['--user=mysql'] : []),
    ];
  }

  private serverArgs(): string[] {
    return [
      ...this.commonArgs(),
      `--socket=${this.socket}`,
      `--pid-file=${join(this.directory, 'mariadb.pid')}`,
      `--port=${this.port}`,
      '--bind-address=127.0.0.1',
      '--innodb-flush-log-at-trx-commit=2',
      '--innodb-buffer-pool-size=16M',
    ];
  }

  private async answers(): Promise<boolean> {
    const socket = connect(this.socket);
    try {
      // A server that is ready greets first.
      for await (const greeting of socket as AsyncIterable<Buffer>) return greeting.length > 0;
      return false;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }

  private async endBy(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    this.child = null;
    process.off('exit', this.killAtExit);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await exited;
  }

  /** A test that ends in the middle leaves no server behind. */
  private readonly killAtExit = (): void => {
    this.child?.kill('SIGKILL');
  };
}

/** The address as the configuration file names it, with the password. */
export function databaseUrl({ host, port, user, password, name }: MysqlAddress): string {
  return `mysql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${name}`;
}

async function idsOf(user: string): Promise<{ uid: number; gid: number }> {
  const line = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .find((entry) => entry.startsWith(`${user}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`there is no user ${user}`);
  return { uid: Number(uid), gid: Number(gid) };
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error(`${program} ended with ${child.exitCode}: ${stdout}${stderr}`);
  return stdout;
}
