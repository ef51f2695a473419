import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLog, type Logger } from '../../src/log.js';
import { openSyslog } from '../../src/log/syslog.js';
import { until } from '../helpers/test-bed.js';

/** The stream socket that syslog daemons offer beside the datagram one; `logger` takes both. */
class SyslogStandIn {
  received = '';
  /** Takes connections and reads nothing. */
  isDeaf = false;
  private readonly connections = new Set<Socket>();
  private readonly server: Server;

  constructor(readonly path: string) {
    this.server = createServer((socket) => {
      this.connections.add(socket);
      if (!this.isDeaf) socket.setEncoding('utf8').on('data', (text: string) => (this.received += text));
      socket.on('error', () => {});
    });
  }

  async listen(): Promise<void> {
    this.server.listen(this.path);
    await once(this.server, 'listening');
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.connections) socket.destroy();
    await closed;
  }

  async expect(pattern: RegExp): Promise<void> {
    await until(
      () => pattern.test(this.received),
      `${pattern} in syslog`,
      () => this.received,
    );
  }
}

let directory: string;
let syslog: SyslogStandIn;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-syslog-'));
  syslog = new SyslogStandIn(join(directory, 'log'));
});
afterEach(async () => {
  await syslog.close();
  await rm(directory, { recursive: true });
});

function open(settings: { readonly format?: 'text' | 'json'; readonly file?: string }): Logger {
  return createLog({ level: 'debug', format: 'text', file: null, ...settings, syslog: syslog.path });
}

describe('the log in syslog', () => {
  test('has priority, name and process, and leaves the time to syslog', async () => {
    await syslog.listen();
    const log = open({});
    log.info('backup started', { host: 'web1' });
    log.error('backup failed');
    await syslog.expect(new RegExp(`^<30>.* busyd\\[${process.pid}\\]: backup started host=web1`));
    await syslog.expect(new RegExp(`<27>.* busyd\\[${process.pid}\\]: backup failed`));
    expect(syslog.received).not.toContain('Z info');
  });

  test('has a record in JSON as it is, and each line of a stack as a message', async () => {
    await syslog.listen();
    open({ format: 'json' }).warn('odd', { host: 'web1' });
    await syslog.expect(/<28>.*: \{"level":"warn","message":"odd","host":"web1"\}/);
    open({}).error('broken', { error: new Error('why') });
    await syslog.expect(/<27>.*: broken error=why[^]*<27>.*: {5}(Error: why|at )/);
  });

  test('is written beside a file when both are set', async () => {
    await syslog.listen();
    const file = join(directory, 'busyd.log');
    open({ file }).info('twice');
    await syslog.expect(/: twice/);
    expect(await readFile(file, 'utf8')).toMatch(/Z info {2}twice\n/);
  });

  test('a line cannot forge a message of its own', async () => {
    await syslog.listen();
    open({}).info('name', { file: 'a\n<27>forged' });
    await syslog.expect(/<30>.*: name file="a\\n<27>forged"/);
  });
});

describe('openSyslog', () => {
  test('without a socket records go to the fallback, and to syslog when it is back', async () => {
    let fallback = '';
    const stream = openSyslog(syslog.path, (text) => (fallback += text));
    stream.write('<30>lost\n');
    await until(
      () => fallback.includes(syslog.path) && fallback.includes('\nlost\n'),
      'the fault and the record',
      () => fallback,
    );
    await syslog.listen();
    await until(() => {
      stream.write('<30>found\n');
      return syslog.received.includes('found');
    }, 'the record in syslog');
  });

  test('a syslog that does not read costs bounded memory', async () => {
    syslog.isDeaf = true;
    await syslog.listen();
    let fallback = 0;
    const stream = openSyslog(syslog.path, (text) => (fallback += text.length));
    const record = `<30>${'x'.repeat(8000)}\n`;
    const wait = 'what is not read to go to the fallback';
    await until(() => {
      for (let count = 0; count < 20; count += 1) stream.write(record);
      return fallback > 1_000_000;
    }, wait);
    expect(stream.writableLength).toBe(0);
  });
});
