/** The seed's section "Pre-/Post backup scripts", sentence by sentence, on a whole daemon and a real sshd. */
import { chmod, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseSnapshotName } from '../../src/core/snapshot.js';
import { BackupServiceService } from '../../src/gen/busy/v1/backup_service.js';
import { BackupType, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { listedSnapshots, partialDirs, untilCopying, untilSwept } from '../helpers/host-store.js';
import { recordedPid } from '../helpers/run-processes.js';
import { isAlive, TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

describe('Pre-/Post backup scripts', () => {
  let bed: TestBed;
  let source: string;
  let slow: string;
  /** A disk that only pre-backup mounts. */
  let disk: string;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    [source, slow, disk] = [at('source'), at('slow'), at('disk')];
    await writeFiles(source, { file: 1000 });
    await writeFiles(slow, { large: 3_000_000 });
    const host = (name: string, settings: object = {}) =>
      bed.hostAt(sshd, { name, srcdirs: [source], connect_timeout: '2s', ...settings });
    await bed.configure(
      [
        host('web1'),
        host('on-disk', { backupdir: disk }),
        host('gone', { srcdirs: ['/no/such/directory'] }),
        host('off', { port: 1 }),
        host('slow', { srcdirs: [slow], bandwidth_limit: 1000 }),
      ],
      { scripts: { pre_backup: at('scripts/pre'), post_backup: at('scripts/post'), timeout: '4s' } },
    );
    await bed.startDaemon();
  });
  afterEach(() => rm(at('scripts'), { recursive: true, force: true }));
  afterAll(() => bed.end());

  test('They are called before/ after each backup if present and executable. (Shell scripts called with /bin/sh)', async () => {
    await mkdir(at('unmounted'));
    // Neither has a line #!, and what they mount and unmount is in the way of anything that is still at work there.
    await write('pre', `${tell('pre')}mv ${at('unmounted')} ${disk}\n`);
    await write(
      'post',
      `${tell('post')}ls -A ${disk}/on-disk > ${at('left')}\nmv ${disk} ${at('unmounted')}\n`,
    );
    const full = await bed.backUp('on-disk');
    // A disk that is not mounted cannot say that the name of this second is taken.
    const nextSecond = (parseSnapshotName(full.snapshot)?.startedAt.getTime() ?? 0) + 1000;
    await until(() => Date.now() >= nextSecond, 'the next second');
    const incr = await bed.backUp('on-disk', BackupType.INCREMENTAL);
    expect([full, incr].map(({ state }) => state)).toEqual([RunState.SUCCEEDED, RunState.SUCCEEDED]);
    const paths = [full, incr].map(({ snapshot }) => `${disk}/on-disk/${snapshot}`);
    expect(await told()).toEqual([
      `pre 3 full on-disk ${paths[0]}`,
      `post 3 on-disk success ${paths[0]}`,
      `pre 3 incr on-disk ${paths[1]}`,
      `post 3 on-disk success ${paths[1]}`,
    ]);
    expect((await readFile(at('left'), 'utf8')).split('\n')).toEqual([full.snapshot, incr.snapshot, '']);
    expect(await readdir(at('unmounted/on-disk'))).toEqual([full.snapshot, incr.snapshot]);
    await expect(stat(disk)).rejects.toThrow('ENOENT');
  });

  test('The script pre-backup is executed before the rsync command is executed, with type, host and destination path', async () => {
    await write('pre', `#!/bin/sh\n${tell('pre')}date > ${source}/dump-of-pre-backup\n`);
    const run = await bed.backUp('web1', BackupType.FULL);
    const path = bed.snapshotPath(run);
    expect(await told()).toEqual([`pre 3 full web1 ${path}`]);
    expect(await readFile(join(path, 'data', source, 'dump-of-pre-backup'), 'utf8')).not.toBe('');
  });

  test('post-backup gets the name of the host, the state "success" or "failure", and the full path', async () => {
    await write('post', `#!/bin/sh\n${tell('post')}cat "$3"/snapshot.json\n`);
    const run = await bed.backUp('web1');
    expect(await told()).toEqual([`post 3 web1 success ${bed.snapshotPath(run)}`]);
    expect(await bed.readRunLog(run.id)).toMatch(new RegExp(`post-backup: .*"name": ?"${run.snapshot}"`));
  });

  test('They are not called when they are absent, or not executable', async () => {
    const without = await bed.backUp('web1');
    expect(await bed.readRunLog(without.id)).not.toMatch(/pre-backup|post-backup|scripts/);
    await write('pre', 'exit 1\n');
    await chmod(at('scripts/pre'), 0o644);
    const run = await bed.backUp('web1');
    expect(run.state).toBe(RunState.SUCCEEDED);
    expect(await bed.readRunLog(run.id)).toContain(
      `pre-backup: ${at('scripts/pre')} is not called, since it is not executable`,
    );
  });

  test('otherwise the backup will be aborted and marked as "failure"', async () => {
    await write('pre', `#!/bin/sh\n${tell('pre')}echo trying\necho no disk to mount >&2\nexit 7\n`);
    await write('post', `#!/bin/sh\n${tell('post')}`);
    const before = await listedSnapshots(bed, 'web1');
    const run = await bed.backUp('web1');
    expect(run).toMatchObject({
      state: RunState.FAILED,
      snapshot: '',
      error: { reason: 'PRE_BACKUP_FAILED' },
    });
    expect(run.error?.message).toBe(
      `${at('scripts/pre')} ended with code 7, so host "web1" was not backed up; ` +
        'the last it wrote is: no disk to mount.',
    );
    const log = await bed.readRunLog(run.id);
    expect(log).toContain('pre-backup: trying\n');
    expect(log).toContain('pre-backup: no disk to mount\n');
    expect(log).not.toContain('connected to');
    const [pre = '', post = ''] = await told();
    const path = pre.split(' ').at(-1) ?? '';
    expect(path).toMatch(new RegExp(`^${bed.backupdir}/web1/[-_0-9]+[fi]$`));
    expect(post).toBe(`post 3 web1 failure ${path}`);
    expect(await listedSnapshots(bed, 'web1')).toEqual(before);
    expect(await partialDirs(bed, 'web1')).toEqual([]);
  });

  test('a pre-backup that hangs is ended, and the backup with it', async () => {
    await write('pre', `#!/bin/sh\necho $$ > ${at('hanging')}\necho mounting\nexec sleep 1000\n`);
    const run = await bed.backUp('web1');
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'PRE_BACKUP_FAILED' } });
    expect(run.error?.message).toContain('took longer than 4 seconds (scripts.timeout) and was ended');
    expect(run.error?.message).toContain('mounting');
    const pid = await recordedPid(at('hanging'));
    await until(() => !isAlive(pid), 'the script to end');
  });

  test('a script that forks keeps nobody waiting', async () => {
    await write('pre', `#!/bin/sh\nsleep 1000 &\necho $! > ${at('forked')}\n`);
    const run = await bed.backUp('web1');
    process.kill(await recordedPid(at('forked')), 'SIGKILL');
    expect(run.state).toBe(RunState.SUCCEEDED);
  });

  test('The script post-backup is executed after a backup has been finished, also one that fails', async () => {
    await write('post', `${tell('post')}ls -d "$3"\nexit 5\n`);
    const gone = await bed.backUp('gone');
    expect(gone).toMatchObject({ state: RunState.FAILED, error: { reason: 'SOURCE_MISSING' } });
    const [left = ''] = await partialDirs(bed, 'gone');
    expect(await told()).toEqual([`post 3 gone failure ${left}`]);
    const log = await bed.readRunLog(gone.id);
    expect(log).toContain(`post-backup: ${left}\n`);
    expect(log).toMatch(/post ended with code 5\n.* ended: FAILED \(SOURCE_MISSING/);

    const off = await bed.backUp('off');
    expect(off).toMatchObject({ state: RunState.FAILED, error: { reason: 'CONNECTION_REFUSED' } });
    expect((await told()).at(-1)).toMatch(new RegExp(`^post 3 off failure ${bed.backupdir}/off/[-_0-9]+f$`));
  });

  test('a post-backup that fails does not fail the backup, and is named in the log', async () => {
    await write('pre', '#!/bin/sh\necho prepared\n');
    await write('post', '#!/bin/sh\necho cannot unmount >&2\nexit 5\n');
    const run = await bed.backUp('web1');
    expect(run).toMatchObject({ state: RunState.SUCCEEDED, error: undefined });
    const log = await bed.readRunLog(run.id);
    expect(log).toMatch(/post-backup: cannot unmount\n.*post ended with code 5\n/);
    expect(await readFile(join(bed.snapshotPath(run), 'backup.log'), 'utf8')).toContain(
      'pre-backup: prepared',
    );
  });

  test('post-backup is called after a cancel too, in peace', async () => {
    await write('post', `${tell('post')}sleep 0.5\necho cleaned up\n`);
    const run = await bed.trigger('slow');
    await untilCopying(bed, run, { source: slow, name: 'large', leastBytes: 100_000 });
    await cancel(run.id);
    const ended = await bed.waitForRun(run.id);
    expect(ended).toMatchObject({ state: RunState.CANCELLED, error: { reason: 'CANCELLED' } });
    const [left = ''] = await partialDirs(bed, 'slow');
    expect(await told()).toEqual([`post 3 slow failure ${left}`]);
    expect(await bed.readRunLog(run.id)).toMatch(/post-backup: cleaned up\n.*post ended with code 0\n/);
  });

  test('a cancel ends a pre-backup', async () => {
    await write('pre', '#!/bin/sh\necho begun\nexec sleep 1000\n');
    await write('post', tell('post'));
    const run = await bed.trigger('web1');
    await until(async () => (await bed.readRunLog(run.id)).includes('pre-backup: begun'), 'pre-backup');
    await cancel(run.id);
    expect((await bed.waitForRun(run.id)).state).toBe(RunState.CANCELLED);
    expect(await told()).toEqual([expect.stringMatching(/^post 3 web1 failure /)]);
  });

  test('a daemon that stops leaves post-backup a few seconds', async () => {
    await bed.stopDaemon();
    const config = JSON.parse(await readFile(bed.configFile, 'utf8')) as { hosts: []; scripts: object };
    const scripts = { ...config.scripts, timeout: '10m' };
    await bed.configure(config.hosts, { scripts, stop_grace: 0 });
    await bed.startDaemon();
    await write('post', `#!/bin/sh\necho $$ > ${at('hanging')}\necho begun\nexec sleep 1000\n`);
    const run: Run = await bed.trigger('web1');
    await until(async () => (await bed.readRunLog(run.id)).includes('post-backup: begun'), 'post-backup');
    expect(await bed.stopDaemon()).toBe(0);
    expect(await bed.readRunLog(run.id)).toMatch(/post was ended early\n.* ended: SUCCEEDED/);
    expect(isAlive(await recordedPid(at('hanging')))).toBe(false);
    await untilSwept(bed, 'web1');
  });

  function at(name: string): string {
    return join(bed.directory, name);
  }

  async function write(name: 'pre' | 'post', text: string): Promise<void> {
    await bed.writeProgram(join('scripts', name), text);
  }

  async function told(): Promise<string[]> {
    return (await readFile(at('scripts/told'), 'utf8')).trim().split('\n');
  }

  async function cancel(id: string): Promise<void> {
    const client = bed.backups;
    await callMethod(client, BackupServiceService.cancelRun, { id }).finally(() => client.close());
  }
});

/** A line of a script that writes its own arguments down. */
function tell(name: string): string {
  return `echo ${name} $# "$@" >> "$(dirname "$0")/told"\n`;
}
