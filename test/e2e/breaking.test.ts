import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signalProcess } from '../../clients/quickstart/process-tree.js';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { untilCopying } from '../helpers/host-store.js';
import {
  executorOf,
  localRsyncPids,
  remoteRsyncPids,
  runPids,
  sessionPids,
} from '../helpers/run-processes.js';
import { expectBackup, takeStock } from '../helpers/stock.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

const pullHosts = [
  'cut',
  'cut-session',
  'killed-there',
  'killed-here',
  'child-killed-here',
  'refused',
  'executor',
  'stopped',
];
const pushHosts = [
  'cut-push',
  'killed-there-push',
  'killed-here-push',
  'child-killed-here-push',
  'stopped-push',
];

describe('a backup that breaks off', () => {
  let bed: TestBed;
  let sshd: PrivateSshd;
  let otherSshd: PrivateSshd;

  beforeAll(async () => {
    bed = await TestBed.create();
    sshd = await bed.startSshd();
    otherSshd = await bed.startSshd();
    for (const name of [...pullHosts, ...pushHosts, 'other']) {
      await writeFiles(sourceOf(name), { kept: 1000, 'deep/kept': 1000 });
    }
    const host = (name: string, settings = {}) =>
      bed.hostAt(sshd, { name, srcdirs: [sourceOf(name)], bandwidth_limit: 1500, ...settings });
    await bed.configure(
      [
        ...pullHosts.map((name) => host(name)),
        ...pushHosts.map((name) => host(name, { initiator: 'client' })),
        { ...host('other'), ...bed.hostAt(otherSshd, { name: 'other' }) },
      ],
      { executors: 2 },
    );
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  interface Break {
    readonly host: string;
    readonly does: () => Promise<void>;
    readonly reason: string;
    readonly words: RegExp;
  }

  const breaks: readonly Break[] = [
    {
      host: 'cut',
      does: () => sshd.kill(),
      reason: 'HOST_WENT_AWAY',
      words: /"cut" went away .*no SSH server answers at 127.0.0.1. The connection to host "cut" was lost/,
    },
    {
      host: 'cut-push',
      does: () => sshd.kill(),
      reason: 'HOST_WENT_AWAY',
      words: /"cut-push" went away .*The connection to host "cut-push" was lost/,
    },
    {
      host: 'cut-session',
      does: async () => killAll(await sessionPids(sshd)),
      reason: 'CONNECTION_LOST',
      words: /^The connection to host "cut-session" was lost/,
    },
    {
      host: 'killed-there',
      does: async () => killAll(await remoteRsyncPids(sshd)),
      reason: 'RSYNC_KILLED',
      words: /on host "killed-there" was killed \(signal (SIG)?KILL\)/,
    },
    {
      host: 'killed-there-push',
      does: async () => killAll(await remoteRsyncPids(sshd)),
      reason: 'RSYNC_KILLED',
      words: /on host "killed-there-push" was killed \(signal (SIG)?KILL\)/,
    },
    {
      host: 'killed-here',
      does: async () => killAll(await localRsyncPids(bed)),
      reason: 'RSYNC_KILLED',
      words: /on the server was killed \(signal SIGKILL\)/,
    },
    {
      host: 'killed-here-push',
      does: async () => killAll(await localRsyncPids(bed)),
      reason: 'RSYNC_KILLED',
      words: /on the server was killed \(signal SIGKILL\)/,
    },
    {
      host: 'child-killed-here',
      does: async () => killAll((await localRsyncPids(bed)).slice(-1)),
      reason: 'RSYNC_FAILED',
      words: /^rsync ended with code \d+ for .*: rsync( error)?: /,
    },
    {
      host: 'child-killed-here-push',
      does: async () => killAll((await localRsyncPids(bed)).slice(-1)),
      reason: 'RSYNC_FAILED',
      words: /^rsync ended with code \d+ for .*: rsync( error)?: /,
    },
  ];

  test.each(breaks)('harms nothing: $host', async ({ host, does, reason, words }) => {
    const broken = await breakInTheMiddle(host, does);
    expectFailure(broken, reason, words);
    await sshd.restart();
    await expectBackup(bed, host, sourceOf(host));
  });

  test('did not even begin, since sshd was stopped', async () => {
    await expectBackup(bed, 'refused', sourceOf('refused'));
    const expectUnchanged = await takeStock(bed, 'refused');
    await sshd.stop();
    expectFailure(await bed.backUp('refused'), 'CONNECTION_REFUSED', /"refused" refuses connections/);
    await expectUnchanged();
    await sshd.restart();
    await expectBackup(bed, 'refused', sourceOf('refused'));
  });

  test('takes no other with it when its executor is killed', async () => {
    await expectBackup(bed, 'executor', sourceOf('executor'));
    await writeFiles(sourceOf('other'), { large: 9_000_000 });
    const other = await bed.trigger('other');
    await untilCopying(bed, other, { source: sourceOf('other'), name: 'large', leastBytes: 100_000 });
    const broken = await breakNext('executor', async () => {
      const pid = await executorOf(bed, 'executor');
      expect(pid).not.toBe(await executorOf(bed, 'other'));
      killAll([pid]);
    });
    expectFailure(broken, 'EXECUTOR_DIED', /ended \(signal SIGKILL\)/);
    expect(bed.daemonLog()).toMatch(/an executor process died/);
    expect((await bed.waitForRun(other.id)).state).toBe(RunState.SUCCEEDED);
    expect(await runPids(bed, sshd, otherSshd)).toEqual([]);
    await expectBackup(bed, 'executor', sourceOf('executor'));
  });

  /** With a snapshot that is there already: breaks the next backup, and waits until no process of it is left. */
  async function breakInTheMiddle(host: string, does: () => Promise<void>): Promise<Run> {
    await expectBackup(bed, host, sourceOf(host));
    const broken = await breakNext(host, does);
    await until(async () => (await runPids(bed, sshd)).length === 0, 'all processes of the run to end');
    return broken;
  }

  /** Breaks a backup while it copies a large file. */
  async function breakNext(host: string, does: () => Promise<void>): Promise<Run> {
    const expectUnchanged = await takeStock(bed, host);
    await writeFiles(sourceOf(host), { large: 2_500_000 });
    const run = await bed.trigger(host);
    await untilCopying(bed, run, { source: sourceOf(host), name: 'large', leastBytes: 100_000 });
    await does();
    const broken = await bed.waitForRun(run.id);
    await expectUnchanged();
    return broken;
  }

  function sourceOf(host: string): string {
    return join(bed.directory, 'source', host);
  }
});

function expectFailure(run: Run, reason: string, words: RegExp): void {
  expect(run).toMatchObject({ state: RunState.FAILED, snapshot: '', error: { reason } });
  expect(run.error?.message).toMatch(words);
  expect(run.error?.advice).toMatch(/^[A-Z].*[.a-z]$/);
  expect(run.endedAt).toBeInstanceOf(Date);
}

function killAll(pids: readonly number[]): void {
  expect(pids).not.toEqual([]);
  for (const pid of pids) signalProcess(pid, 'SIGKILL');
}
