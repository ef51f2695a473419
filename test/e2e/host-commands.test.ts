import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { BackupServiceService } from '../../src/gen/busy/v1/backup_service.js';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { listedSnapshots, untilCopying } from '../helpers/host-store.js';
import { recordedPid } from '../helpers/run-processes.js';
import { isAlive, TestBed, until, type HostSettings } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

describe('pre_command and post_command', () => {
  let bed: TestBed;
  let source: string;
  let hosts: HostSettings[];
  let crashing: PrivateSshd;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    crashing = await bed.startSshd();
    const limited = await bed.startSshd({ forceCommand: 'rrsync -ro /' });
    source = at('source');
    const slow = at('slow');
    await writeFiles(source, { file: 1000 });
    await writeFiles(slow, { large: 3_000_000 });
    const post_command = `echo clean >> '${at('cleaned')}'; rm -f '${source}/dump'; echo tidy`;
    const host = (name: string, settings: object) =>
      bed.hostAt(sshd, { name, srcdirs: [source], post_command, ...settings });
    const hangs = `echo $$ > '${at('hanging')}'; echo begun; sleep 1000; echo never`;
    hosts = [
      host('dump', {
        pre_command: `d='${source}/dump'; echo "secret" > "$d" && echo "it's dumped" # pw=hush`,
      }),
      host('gone', { srcdirs: ['/no/such/directory'] }),
      host('refuses', { pre_command: 'echo dumping; echo no database >&2; exit 3' }),
      host('late', { pre_command: hangs, command_timeout: '1s' }),
      host('hangs', { pre_command: hangs }),
      host('slow', { srcdirs: [slow], bandwidth_limit: 1000 }),
      host('slow-push', { srcdirs: [slow], bandwidth_limit: 1000, initiator: 'client' }),
      { ...bed.hostAt(crashing, { name: 'cut', srcdirs: [source], post_command }), pre_command: hangs },
      host('forks', { pre_command: `sleep 1000 & echo $! > '${at('forked')}'` }),
      host('reads', { pre_command: 'cat; echo end of input' }),
      host('bad-end', { post_command: 'echo cannot clean; exit 9' }),
      host('no-end', { post_command: hangs }),
      bed.hostAt(limited, { name: 'limited', srcdirs: [source], pre_command: 'dump', rsync_path: 'rsync' }),
    ];
    await bed.configure(hosts, { stop_grace: 0 });
    await bed.startDaemon();
  });
  beforeEach(() => writeFile(at('cleaned'), ''));
  afterAll(() => bed.end());

  test('what pre_command makes is in the snapshot, and post_command removes it', async () => {
    const run = await bed.backUp('dump');
    expect(run.state).toBe(RunState.SUCCEEDED);
    expect(await readFile(join(bed.snapshotPath(run), 'data', source, 'dump'), 'utf8')).toBe('secret\n');
    await expect(readFile(join(source, 'dump'))).rejects.toThrow('ENOENT');
    const log = await readFile(join(bed.snapshotPath(run), 'backup.log'), 'utf8');
    expect(log).toMatch(
      /pre_command: it's dumped\n(.*\n)*.*job 1 SUCCEEDED.*\n(.*\n)*.*post_command: tidy\n/,
    );
    expect(await bed.readRunLog(run.id)).not.toContain('hush');
  });

  test('a pre_command that fails makes the backup fail; post_command runs still', async () => {
    const run = await bed.backUp('refuses');
    expect(run).toMatchObject({
      state: RunState.FAILED,
      snapshot: '',
      error: { reason: 'PRE_COMMAND_FAILED' },
    });
    expect(run.error?.message).toBe(
      'The pre_command of host "refuses" ended with code 3, so it was not backed up; the last it wrote is: no database.',
    );
    expect(await bed.readRunLog(run.id)).toContain('pre_command: dumping\n');
    expect(await listedSnapshots(bed, 'refuses')).toEqual([]);
    await expectCleaned();
  });

  test('post_command runs after a backup that fails', async () => {
    expect(await bed.backUp('gone')).toMatchObject({
      state: RunState.FAILED,
      error: { reason: 'SOURCE_MISSING' },
    });
    await expectCleaned();
  });

  test('a pre_command that hangs is given up, and ended where sshd allows it', async () => {
    const run = await bed.backUp('late');
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'PRE_COMMAND_FAILED' } });
    expect(run.error?.message).toContain('took longer than 1 seconds (command_timeout) and ');
    await endLeft(run.error?.message ?? '');
    await expectCleaned();
  });

  test('a cancel does not wait for pre_command; post_command runs still', async () => {
    const { id } = await bed.trigger('hangs');
    await until(async () => (await bed.readRunLog(id)).includes('pre_command: begun'), 'pre_command');
    await cancel(id);
    expect(await bed.waitForRun(id)).toMatchObject({
      state: RunState.CANCELLED,
      error: { reason: 'CANCELLED' },
    });
    await endLeft(await bed.readRunLog(id));
    await expectCleaned();
  });

  test.each(['slow', 'slow-push'])('post_command runs after a cancel: %s', async (host) => {
    const run = await bed.trigger(host);
    await untilCopying(bed, run, { source: at('slow'), name: 'large', leastBytes: 100_000 });
    await cancel(run.id);
    expect((await bed.waitForRun(run.id)).state).toBe(RunState.CANCELLED);
    expect(await bed.readRunLog(run.id)).toMatch(/post_command: tidy\n.*post_command ended with code 0\n/);
    await expectCleaned();
  });

  test('the log says when the connection is lost, so that post_command cannot run', async () => {
    const { id } = await bed.trigger('cut');
    await until(async () => (await bed.readRunLog(id)).includes('pre_command: begun'), 'pre_command');
    await crashing.kill();
    const run = await bed.waitForRun(id);
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'HOST_WENT_AWAY' } });
    expect(await bed.readRunLog(run.id)).toMatch(
      /post_command could not be run to its end: The connection to host "cut" was lost/,
    );
  });

  test('a command that forks keeps nobody waiting', async () => {
    const run = await bed.backUp('forks');
    process.kill(await recordedPid(at('forked')), 'SIGKILL');
    expect(run.state).toBe(RunState.SUCCEEDED);
  });

  test('a command that reads finds the end of its input', async () => {
    const run = await bed.backUp('reads');
    expect(run.state).toBe(RunState.SUCCEEDED);
    expect(await bed.readRunLog(run.id)).toContain('pre_command: end of input\n');
  });

  test('a post_command that fails does not fail the backup, and is named in the log', async () => {
    const run = await bed.backUp('bad-end');
    expect(run).toMatchObject({ state: RunState.SUCCEEDED, error: undefined });
    expect(await bed.readRunLog(run.id)).toMatch(
      /post_command: cannot clean\n.*post_command ended with code 9\n/,
    );
  });

  test('a key that is restricted to rsync is named as a cause', async () => {
    const run = await bed.backUp('limited');
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'PRE_COMMAND_FAILED' } });
    expect(run.error?.message).toContain('rrsync error: SSH_ORIGINAL_COMMAND does not run rsync');
    expect(run.error?.advice).toContain('a key that is restricted to rsync');
  });

  test('a daemon that stops leaves post_command a few seconds', async () => {
    const { id } = await bed.trigger('no-end');
    await until(async () => (await bed.readRunLog(id)).includes('post_command: begun'), 'post_command');
    expect(await bed.stopDaemon()).toBe(0);
    expect(await bed.readRunLog(id)).toMatch(/post_command was (ended|to end) early/);
    await endLeft(await bed.readRunLog(id));
  });

  function at(name: string): string {
    return join(bed.directory, name);
  }

  async function expectCleaned(): Promise<void> {
    expect(await readFile(at('cleaned'), 'utf8')).toBe('clean\n');
  }

  /** sshd takes no signals for commands of root; then what was said is that the command may still run, and it does. */
  async function endLeft(said: string): Promise<void> {
    const pid = await recordedPid(at('hanging'));
    await rm(at('hanging'));
    expect(said.includes('could not be ended: it may still run')).toBe(process.getuid?.() === 0);
    if (process.getuid?.() === 0) process.kill(-pid, 'SIGKILL');
    await until(() => !isAlive(pid), 'the command on the host to end');
  }

  async function cancel(id: string): Promise<void> {
    const client = bed.backups;
    await callMethod(client, BackupServiceService.cancelRun, { id }).finally(() => client.close());
  }
});
