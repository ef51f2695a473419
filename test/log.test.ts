import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog, type Logger, type LogSettings } from '../src/log.js';

const run = promisify(execFile);
let directory = '';
let file = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-log-'));
  file = join(directory, 'busyd.log');
});
afterEach(() => rm(directory, { recursive: true }));

describe('the text format', () => {
  it('writes time, level, message and fields', async () => {
    const lines = await linesOf({}, (log) => {
      log.info('backup started', {
        host: 'web1',
        bytes: 5,
        isFull: true,
        note: 'two words',
        empty: '',
        none: null,
      });
      log.error('backup failed');
    });
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info {2}backup started /);
    expect(withoutTime(lines)).toEqual([
      'info  backup started host=web1 bytes=5 isFull=true note="two words" empty="" none=null',
      'error backup failed',
    ]);
  });

  it('leaves out what is below its level, and fields without a value', async () => {
    const lines = await linesOf({ level: 'warn' }, (log) => {
      log.info('not this');
      log.debug('nor this');
      log.warn('this', { missing: undefined });
    });
    expect(withoutTime(lines)).toEqual(['warn  this']);
  });

  it('adds the fields of child logs', async () => {
    const lines = await linesOf({}, (log) => {
      const child = log.child({ run: '01J', host: 'web1' });
      child.info('one');
      child.child({ job: 2 }).info('two', { files: 3 });
      log.info('three');
    });
    expect(withoutTime(lines).map((line) => line.split(' ').slice(2).sort())).toEqual([
      ['host=web1', 'one', 'run=01J'],
      ['files=3', 'host=web1', 'job=2', 'run=01J', 'two'],
      ['three'],
    ]);
  });

  it('cannot be forged by what comes from outside', async () => {
    const lines = await linesOf({}, (log) => {
      log.info('a\nb\u001b[2J', {
        text: 'x\r\n2026-11-22 y',
        plain: 'a\u0007',
        'k\n=': { deep: '\n\u009b' },
      });
    });
    expect(withoutTime(lines)).toEqual([
      'info  a\\nb\\x1b[2J text="x\\r\\n2026-11-22 y" plain=a\\x07 k\\n=={"deep":"\\n\\x9b"}',
    ]);
  });

  it('shows an error by its message, and what caused it', async () => {
    const lines = await linesOf({}, (log) => {
      log.error('failed', { error: new Error('no space', { cause: new Error('ENOSPC') }) });
      log.error(new Error('alone'));
    });
    expect(withoutTime(lines)).toEqual(['error failed error="no space (caused by: ENOSPC)"', 'error alone']);
  });

  it('shows stacks at the level debug, indented', async () => {
    const lines = await linesOf({ level: 'debug' }, (log) => {
      log.error('failed', { error: new Error('first\nsecond') });
    });
    expect(withoutTime(lines.slice(0, 1))).toEqual(['error failed error="first\\nsecond"']);
    expect(lines.slice(1, 4)).toEqual([
      '    Error: first',
      '    second',
      expect.stringMatching(/^ {4}at .*log\.test\.ts/),
    ]);
    expect(lines.slice(1).every((line) => line.startsWith('    '))).toBe(true);
  });
});

describe('the JSON format', () => {
  it('writes one object a line', async () => {
    const lines = await linesOf({ format: 'json' }, (log) => {
      log
        .child({ run: '01J' })
        .info('a\nb', { big: 5n, when: new Date(0), set: new Set([1]), map: new Map([['k', 2]]) });
      log.error('failed', { error: new Error('why') });
    });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        time: expect.stringMatching(/Z$/) as string,
        level: 'info',
        message: 'a\nb',
        run: '01J',
        big: '5',
        when: '1970-01-01T00:00:00.000Z',
        set: [1],
        map: { k: 2 },
      },
      { time: expect.any(String) as string, level: 'error', message: 'failed', error: { message: 'why' } },
    ]);
  });

  it('has the stack at the level debug', async () => {
    const [line = ''] = await linesOf({ format: 'json', level: 'debug' }, (log) =>
      log.info('x', { error: new Error('why') }),
    );
    expect(JSON.parse(line)).toMatchObject({
      error: { message: 'why', stack: expect.stringContaining('log.test.ts') as string },
    });
  });
});

describe('secrets', () => {
  it.each(['text', 'json'] as const)('never reach the log as %s', async (format) => {
    const secret = 'geheim-7';
    const failure = new Error(`cannot reach mysql://busy:${secret}@db/busy`, {
      cause: `smtp://a:${secret}@b`,
    });
    const lines = await linesOf({ format, level: 'debug' }, (log) => {
      log.child({ apiToken: secret }).info(`via https://user:${secret}@host/`, {
        password: secret,
        deep: [
          {
            settings: {
              DB_PASSWORD: [secret],
              privateKey: { pem: secret },
              passphrase: 5,
              clientSecret: secret,
            },
          },
        ],
        map: new Map([['token', secret]]),
        database: `mysql://busy:p@${secret}/x:@db/busy`,
        error: failure,
      });
    });
    expect(lines.join('\n')).not.toContain(secret);
    expect(lines[0]).toContain('https://[redacted]@host/');
  });

  it('leave harmless texts alone', async () => {
    const lines = await linesOf({}, (log) =>
      log.info('x', { listen: 'tcp://127.0.0.1:4000', mail: 'a@b:c', host: 'b' }),
    );
    expect(withoutTime(lines)).toEqual(['info  x listen=tcp://127.0.0.1:4000 mail=a@b:c host=b']);
  });
});

describe('odd values', () => {
  it('are cut, never thrown at', async () => {
    const loop: Record<string, unknown> = { name: 'loop' };
    loop.self = [loop];
    const twice = { a: 1 };
    const deep = Array.from({ length: 20 }).reduce<unknown>((inner) => ({ inner }), 'bottom');
    const nasty = {
      get value(): string {
        throw new Error('no');
      },
    };
    const lines = await linesOf({}, (log) => {
      log.info('x', {
        loop,
        twice: [twice, twice],
        bytes: Buffer.from('abc'),
        when: new Date(Number.NaN),
        call: () => 1,
      });
      log.info('y', { deep });
      log.info('z', { nasty });
    });
    expect(withoutTime(lines)[0]).toBe(
      'info  x loop={"name":"loop","self":["[loop]"]} twice=[{"a":1},{"a":1}] bytes="[3 bytes]" when="[no date]" call=[function]',
    );
    expect(lines[1]).toContain('[too deep]');
    expect(lines[2]).toContain(' z nasty=[unreadable]');
  });
});

describe('where it goes', () => {
  it('is the standard error stream without a file', async () => {
    const program = `import { createLog } from './src/log.ts';
      createLog({ level: 'info', format: 'text', file: null, syslog: null }).info('hello', { n: 1 });`;
    const { stdout, stderr } = await run(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      program,
    ]);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/Z info {2}hello n=1\n$/);
  });

  it('is a file that only its owner writes, and that may be rotated away', async () => {
    const log = open({});
    log.info('one');
    await rename(file, `${file}.1`);
    log.info('two');
    await closed(log);
    expect(await readFile(`${file}.1`, 'utf8')).toContain('one');
    expect(await readFile(file, 'utf8')).toContain('two');
    expect((await stat(file)).mode & 0o027).toBe(0);
  });

  it('is refused at once when it cannot be written', () => {
    expect(() => open({ file: join(directory, 'none', 'busyd.log') })).toThrow(
      /^The log file .*none\/busyd\.log cannot be written: ENOENT.* Create its directory or correct log\.file\.$/,
    );
  });
});

function open(settings: Partial<LogSettings>): Logger {
  return createLog({ level: 'info', format: 'text', file, syslog: null, ...settings });
}

async function linesOf(settings: Partial<LogSettings>, write: (log: Logger) => unknown): Promise<string[]> {
  const log = open(settings);
  write(log);
  await closed(log);
  return (await readFile(file, 'utf8')).split('\n').slice(0, -1);
}

async function closed(log: Logger): Promise<void> {
  const finished = once(log, 'finish');
  log.end();
  await finished;
}

function withoutTime(lines: readonly string[]): string[] {
  return lines.map((line) => line.slice(line.indexOf(' ') + 1));
}
