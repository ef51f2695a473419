import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, chmod, mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { runCommand } from '../helpers/run-command.js';
import { TestBed, until } from '../helpers/test-bed.js';

const root = new URL('../../', import.meta.url).pathname;
const program = join(root, 'dist/clients/cli/main.js');
const asNobody =
  process.getuid?.() === 0 ? 'setpriv --reuid 65534 --regid 65534 --clear-groups rsync' : 'rsync';

const escape = '\u001b';

/** Names that would clear a screen, set a title, forge a line or turn the direction of text. */
const evilNames = [
  'clear\u001b[2Jscreen',
  'title\u001b]0;evil\u0007',
  'line\nbreak\rreturn',
  'turn\u202earound',
  'c1\u009bm',
];

describe('busy', () => {
  let bed: TestBed;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    await chmod(bed.directory, 0o711);
    const source = join(bed.directory, 'source');
    const strange = join(bed.directory, 'strange');
    await mkdir(source);
    await mkdir(strange);
    await writeFile(join(source, 'file'), randomBytes(4_000_000));
    await writeFile(join(strange, 'plain'), 'plain');
    for (const name of evilNames) await writeFile(join(strange, name), name);
    await mkdir(join(strange, 'locked'));
    for (const name of evilNames) await writeFile(join(strange, 'locked', name), name, { mode: 0 });
    await bed.configure([
      bed.hostAt(sshd, { name: 'web1', srcdirs: [source], excludes: ['*.tmp'] }),
      bed.hostAt(sshd, { name: 'held', srcdirs: [source], bandwidth_limit: '1m' }),
      bed.hostAt(sshd, { name: 'endless', srcdirs: [source], bandwidth_limit: '20k' }),
      bed.hostAt(sshd, { name: 'strange', srcdirs: [strange], rsync_path: asNobody }),
      bed.hostAt(sshd, { name: 'broken', srcdirs: ['/no/such/directory'] }),
    ]);
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  async function json(...args: string[]): Promise<unknown> {
    const { code, stdout, stderr } = await bed.busy([...args, '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^.+\n$/);
    return JSON.parse(stdout);
  }

  async function text(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await bed.busy(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  }

  /** Starts the client and lets it run; `end` sends a signal and answers the exit code. */
  function start(...args: string[]) {
    const child = spawn(process.execPath, [program, '--server', `unix:${bed.socket}`, ...args]);
    const output = { text: '', errors: '' };
    child.stdout.setEncoding('utf8').on('data', (piece: string) => (output.text += piece));
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (output.errors += piece));
    const closed = once(child, 'close');
    const end = async (signal?: NodeJS.Signals): Promise<number | null> => {
      if (signal) child.kill(signal);
      await closed;
      return child.exitCode;
    };
    return { output, end };
  }

  /** Runs a command line of the client on a pseudo terminal with 100 columns. */
  function onTerminal(args: readonly string[], columns = 100) {
    const words = [process.execPath, program, '--server', `unix:${bed.socket}`, ...args].map(
      (word) => `'${word}'`,
    );
    const line = `${columns > 0 ? `stty cols ${columns}; ` : ''}exec ${words.join(' ')}`;
    return runCommand('script', ['-qec', line, '/dev/null']);
  }

  it('hosts, host, probe', async () => {
    expect(await text('hosts')).toMatch(
      /^HOST +NEWEST SNAPSHOT .*\nbroken .*\nendless .*\nheld .*\nstrange .*\nweb1 /,
    );
    expect(await json('hosts')).toMatchObject({ hosts: [{ name: 'broken' }, {}, {}, {}, { name: 'web1' }] });
    expect(await text('host', 'web1')).toContain('*.tmp');
    expect(await json('host', 'web1')).toMatchObject({ host: { name: 'web1', excludes: ['*.tmp'] } });
    expect(await text('probe', 'web1')).toMatch(/Host key +SHA256:\S+ \(as pinned\)/);
    expect(await json('probe', 'web1')).toMatchObject({ sshSoftware: expect.stringContaining('OpenSSH') });
  });

  it('backup, runs, run, logs, snapshots, snapshot', async () => {
    const started = await json('backup', 'web1', '--type', 'full', '--request-id', 'cli-1');
    const { run } = started as { run: { id: string } };
    expect((await bed.waitForRun(run.id)).state).toBe(RunState.SUCCEEDED);
    expect(await text('backup', 'web1', '--type', 'full', '--request-id', 'cli-1')).toContain(
      `Run ${run.id} of web1 is SUCCEEDED`,
    );
    expect(await text('runs', '--host', 'web1')).toMatch(new RegExp(`${run.id} +web1 +full +SUCCEEDED`));
    expect(await json('runs', '--state', 'succeeded', '--limit', '1')).toMatchObject({
      runs: [{ id: run.id }],
    });
    expect(await text('run', run.id)).toMatch(/State +SUCCEEDED/);
    expect(await json('run', run.id)).toMatchObject({ run: { id: run.id, requestId: 'cli-1' } });
    const log = await bed.readRunLog(run.id);
    expect(await text('logs', run.id)).toBe(log);
    const asJson = (await bed.busy(['logs', run.id, '--json'])).stdout.trim().split('\n');
    const lines = asJson.flatMap((line) => (JSON.parse(line) as { lines: string[] }).lines);
    expect(lines).toEqual(log.split('\n').slice(0, -1));
    const { snapshots } = (await json('snapshots', 'web1')) as {
      snapshots: { name: string; path: string }[];
    };
    expect(snapshots).toHaveLength(1);
    const [{ name, path } = { name: '', path: '' }] = snapshots;
    expect(await text('snapshots')).toContain(name);
    expect(await text('snapshot', 'web1', name)).toContain(`${path}/data`);
    expect(await json('snapshot', 'web1', name)).toMatchObject({ snapshot: { runId: run.id } });
  });

  it('info', async () => {
    expect(await text('info')).toMatch(/Runs +\d+ running \(at most 4\), 0 queued/);
    expect(await json('info')).toMatchObject({
      pid: bed.daemonPid(),
      hostCount: 5,
      configFile: bed.configFile,
    });
  });

  it('cancel, and logs --follow, which ends with the run', async () => {
    const { id } = await bed.trigger('endless');
    await bed.waitForRun(id, ({ progress }) => (progress?.bytesDone ?? 0) > 0);
    const following = start('logs', id, '--follow');
    await until(() => following.output.text.includes('started'), 'the log to come');
    expect(await text('cancel', id)).toContain('was asked to stop and is now CANCELLING');
    expect(await following.end()).toBe(0);
    expect(following.output.text).toBe(await bed.readRunLog(id));
    expect(following.output.text).toContain('ended: CANCELLED');
    const again = await bed.busy(['cancel', id, '--json']);
    expect(again).toMatchObject({ code: 1, stdout: '' });
    expect(JSON.parse(again.stderr)).toMatchObject({
      error: { reason: 'RUN_ENDED', code: 'FAILED_PRECONDITION' },
    });
  });

  it('tells by its exit code what became of it', async () => {
    expect((await bed.busy(['backup', 'web1', '--follow'])).code).toBe(0);
    expect((await bed.busy(['backup', 'broken', '--follow'])).code).toBe(1);
    expect((await bed.busy(['backup', 'broken', '--follow', '--json'])).code).toBe(1);
    for (const args of [
      [],
      ['no-such-command'],
      ['backup'],
      ['backup', 'web1', '--type', 'half'],
      ['run', 'a', 'b'],
    ])
      expect(await bed.busy(args)).toMatchObject({ code: 2, stdout: '' });
    const lost = await bed.busy(['--server', 'unix:/no/such/socket', 'info']);
    expect(lost).toMatchObject({ code: 3, stdout: '' });
    expect(lost.stderr).toContain('No connection to busyd at unix:/no/such/socket');
    expect((await bed.busy(['backup', 'strange', '--follow'])).code).toBe(5);
  });

  it('is quiet when its reader has had enough', async () => {
    const { id } = await bed.backUp('web1');
    const line = `2026-11-22T20:00:00.000Z ${'x'.repeat(100)}\n`;
    await appendFile(join(bed.directory, 'state/run-logs', `${id}.log`), line.repeat(50_000));
    for (const command of ['runs', `logs ${id}`]) {
      const client = `'${process.execPath}' '${program}' --server 'unix:${bed.socket}' ${command}`;
      const { stdout, stderr } = await runCommand('bash', [
        '-c',
        `${client} | head -1; echo "\${PIPESTATUS[0]}"`,
      ]);
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^.+\n0\n$/);
    }
  });

  it('backup --follow, piped: lines without any control character', async () => {
    const { code, stdout, stderr } = await bed.busy(['backup', 'held', '--follow']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(stdout).toMatch(/\n\S+ connected to 127\.0\.0\.1 /);
    expect(stdout).toMatch(/State +SUCCEEDED/);
    const asJson = await bed.busy(['backup', 'web1', '--follow', '--json']);
    const values = asJson.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { run: { state: string } });
    expect(values.at(-1)).toMatchObject({ run: { state: 'RUN_STATE_SUCCEEDED' } });
  });

  it.each([100, 0])('backup --follow on a terminal of %d columns: a live line', async (columns) => {
    const { code, stdout } = await onTerminal(['backup', 'held', '--type', 'full', '--follow'], columns);
    expect(code).toBe(0);
    expect(stdout.replaceAll(`\r${escape}[2K`, '<live>')).toMatch(
      /<live>~?\d+% {2}[\d.]+ [KM]iB {2}[^\r\n]*job 1 of 1/,
    );
    expect(stdout).toContain(`${escape}[32mSUCCEEDED${escape}[0m`);
    expect(stdout).toMatch(/\nThe files are below .*\r\n$/);
  });

  it('Ctrl-C in --follow ends only the following', async () => {
    const following = start('backup', 'held', '--type', 'full', '--follow');
    await until(() => following.output.text.includes('job 1 of 1'), 'the log to come');
    expect(await following.end('SIGINT')).toBe(130);
    const { id, state } = await bed.lastRun('held');
    expect(state).toBe(RunState.RUNNING);
    expect(following.output.errors).toContain(`Stopped following; run ${id} goes on.`);
    expect((await bed.waitForRun(id)).state).toBe(RunState.SUCCEEDED);
  });

  it('watch prints changes until it is interrupted', async () => {
    const watching = start('watch');
    const asJson = start('watch', '--host', 'web1', '--json');
    // A watcher hears only what comes after its start, so backups are made until both have heard of one.
    await until(async () => {
      await bed.backUp('web1');
      return [watching, asJson].every(({ output }) => output.text.includes('SUCCEEDED'));
    }, 'both watchers to tell of a backup');
    expect(watching.output.text).toMatch(/ web1 {2}SUCCEEDED {2}\d{4}-/);
    for (const line of asJson.output.text.trim().split('\n'))
      expect(JSON.parse(line)).toHaveProperty('run.state');
    for (const client of [watching, asJson]) expect(await client.end('SIGINT')).toBe(130);
  });

  it('never prints the control characters of file names', async () => {
    const { id, snapshot } = await bed.backUp('strange');
    const restored = join(bed.directory, 'restored');
    await mkdir(restored);
    const strange = join(bed.directory, 'strange');
    for (const name of evilNames) await utimes(join(strange, name), 1e9, 1e9);
    const outputs = [
      await bed.busy(['backup', 'strange', '--type', 'full', '--follow']),
      await bed.busy(['backup', 'strange', '--type', 'full', '--follow', '--json']),
      await bed.busy(['run', id]),
      await bed.busy(['run', id, '--json']),
      await bed.busy(['logs', id]),
      await bed.busy(['runs']),
      await bed.busy(['explain', 'strange']),
    ];
    const listings = [
      await bed.busy(['ls', 'strange', strange]),
      await bed.busy(['ls', 'strange', strange, '--json']),
      await bed.busy(['find', 'strange', '*']),
      await bed.busy(['diff', `strange/${snapshot}`, 'strange']),
    ];
    for (const { stdout } of listings) expect(stdout).toMatch(/clear\\+#033\[2Jscreen/);
    const evilPath = `${strange}/clear\\#033[2Jscreen`;
    const history = await bed.busy(['history', 'strange', evilPath, '--all']);
    expect(history).toMatchObject({ code: 0, stdout: expect.stringContaining('first seen') });
    const restore = await bed.busy([
      'restore',
      'strange',
      strange,
      '--to-local',
      restored,
      '--yes',
      '--follow',
    ]);
    expect(restore.stdout).toContain('clear');
    outputs.push(...listings, history, restore);
    outputs.push(await bed.busy(['history', 'strange', evilPath, '--json']));
    outputs.push(await bed.busy(['history', 'strange', '/clear\u001b[2Jscreen']));
    outputs.push(await bed.busy(['runs', '--host', 'strange']), await bed.busy(['audit']));
    for (const { stdout, stderr } of outputs) {
      expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
      expect(stdout).not.toMatch(/^(break|evil)/m);
      expect(stderr).toBe('');
    }
    expect(outputs[2]?.stdout).toContain('/locked/clear\\#033[2Jscreen: Permission denied (13)');
    const terminal = await onTerminal(['run', id]);
    const plain = terminal.stdout
      .replaceAll(/\r\n/g, '')
      .replaceAll(`${escape}[33m`, '')
      .replaceAll(`${escape}[0m`, '');
    expect(plain).not.toMatch(/[\p{Cc}\u202e]/u);
    const run = await bed.lastRun('strange');
    const data = join(bed.snapshotPath(run), 'data', bed.directory, 'strange');
    for (const name of evilNames) expect(await readFile(join(data, name), 'utf8')).toBe(name);
  });
});
