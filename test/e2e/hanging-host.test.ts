import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signalProcess } from '../../clients/quickstart/process-tree.js';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { untilCopying } from '../helpers/host-store.js';
import { localRsyncPids, remoteRsyncPids } from '../helpers/run-processes.js';
import { expectBackup, takeStock } from '../helpers/stock.js';
import { isAlive, TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

describe('a host that hangs', () => {
  let bed: TestBed;
  let sshd: PrivateSshd;

  beforeAll(async () => {
    bed = await TestBed.create();
    sshd = await bed.startSshd();
    const names = ['stopped', 'stopped-push', 'mute', 'mute-push', 'dumb'];
    for (const name of names) await writeFiles(sourceOf(name), { kept: 1000, 'deep/kept': 1000 });
    for (const name of ['mute', 'dumb']) {
      await writeFile(rsyncOf(name), hangingRsync(name));
      await chmod(rsyncOf(name), 0o755);
    }
    const host = (name: string) =>
      bed.hostAt(sshd, {
        name,
        srcdirs: [sourceOf(name)],
        initiator: name.endsWith('-push') ? 'client' : 'server',
        bandwidth_limit: 1500,
        idle_timeout: '2s',
        rsync_path: name.startsWith('stopped') ? 'rsync' : rsyncOf(name.replace('-push', '')),
      });
    await bed.configure(names.map(host));
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  test.each(['stopped', 'stopped-push'])('is given up in the middle of a file: %s', async (host) => {
    await expectBackup(bed, host, sourceOf(host));
    const expectUnchanged = await takeStock(bed, host);
    await writeFiles(sourceOf(host), { large: 3_000_000 });
    const { id } = await bed.trigger(host);
    await untilCopying(bed, { id, host }, { source: sourceOf(host), name: 'large', leastBytes: 100_000 });
    const stopped = await remoteRsyncPids(sshd);
    for (const pid of stopped) signalProcess(pid, 'SIGSTOP');
    expectStalled(await bed.waitForRun(id));
    expect(await localRsyncPids(bed)).toEqual([]);
    await expectUnchanged();

    for (const pid of stopped) signalProcess(pid, 'SIGCONT');
    await until(() => !stopped.some(isAlive), 'rsync on the host to end');
    await expectBackup(bed, host, sourceOf(host));
  });

  test.each(['mute', 'mute-push', 'dumb'])('is given up when its rsync says nothing: %s', async (host) => {
    await expectBackup(bed, host, sourceOf(host));
    const expectUnchanged = await takeStock(bed, host);
    await writeFile(`${rsyncOf(host.replace('-push', ''))}-hangs`, '');
    expectStalled(await bed.backUp(host));
    await expectUnchanged();

    await rm(`${rsyncOf(host.replace('-push', ''))}-hangs`);
    await expectBackup(bed, host, sourceOf(host));
  });

  /** Hangs while there is a file; the one of "dumb" does not even tell its version then. */
  function hangingRsync(name: string): string {
    const question = name === 'dumb' ? '' : 'test "$1" = --version || ';
    return `#!/bin/sh\n${question}while test -e '${rsyncOf(name)}-hangs'; do sleep 0.1; done\nexec rsync "$@"\n`;
  }

  function rsyncOf(name: string): string {
    return join(bed.directory, `rsync-of-${name}`);
  }

  function sourceOf(host: string): string {
    return join(bed.directory, 'source', host);
  }
});

function expectStalled(run: Run): void {
  expect(run).toMatchObject({ state: RunState.FAILED, snapshot: '', error: { reason: 'HOST_STALLED' } });
  expect(run.error?.message).toMatch(/sent nothing for 2 seconds/);
  expect(run.error?.advice).toContain('idle_timeout');
}
