import { expect, test } from 'vitest';
import type { MeasureSpaceResponse } from '../../../src/gen/busy/v1/snapshot_service.js';
import { startFakeDaemon } from './fake-daemon.js';
import { cli, type Result } from './harness.js';
import { sampleSnapshot } from './samples.js';

const MiB = 1024 ** 2;

const progress = { host: 'web1', snapshotsDone: 1, snapshotCount: 3, entries: 1_200_000 };
const space = {
  host: 'web1',
  backupdir: '/srv/backup',
  snapshots: [{ snapshot: sampleSnapshot(), seenBytes: 7 * MiB, freedBytes: 2 * MiB, freedInodes: 5 }],
  totalBytes: 9 * MiB,
  unfinishedBytes: MiB,
  trashBytes: 2 * MiB,
  removedBytes: 512,
  diskFreeBytes: 20 * MiB,
  diskTotalBytes: 100 * MiB,
};

async function ask(argv: string[], steps: MeasureSpaceResponse[], isTerminal = false): Promise<Result> {
  const daemon = await startFakeDaemon({
    measureSpace: (call) => {
      for (const step of steps) call.write(step);
      call.end();
    },
  });
  try {
    return await cli(argv, { endpoint: daemon.endpoint, isTerminal });
  } finally {
    await daemon.close();
  }
}

const steps = [
  { progress: { ...progress, host: '' }, host: undefined },
  { progress, host: undefined },
  { progress: undefined, host: space },
];

test('a table with what else lies there', async () => {
  const { stdout, exitCode } = await ask(['space', 'web1'], steps);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Host web1 in \/srv\/backup\nSNAPSHOT +TYPE +AGE +SIZE +FREED ALONE\n/);
  expect(stdout).toMatch(/7\.0 MiB +2\.0 MiB\n/);
  expect(stdout).toContain(
    '9.0 MiB in all, with 1.0 MiB of unfinished backups, 2.0 MiB in the trash, 512 B that are being removed. The disk has 20.0 MiB free of 100.0 MiB.\n',
  );
  expect(stdout).not.toContain('files looked at');
});

test('on a terminal it says how far it is', async () => {
  const { stdout } = await ask(['space'], steps, true);
  expect(stdout).toContain('waiting for another measurement to end');
  expect(stdout).toContain('web1: snapshot 2 of 3, 1,200,000 files looked at');
});

test('one JSON document for all hosts', async () => {
  const { stdout } = await ask(
    ['space', '--json'],
    [...steps, { progress: undefined, host: { ...space, host: 'web2' } }],
  );
  expect(JSON.parse(stdout)).toMatchObject({
    hosts: [{ host: 'web1' }, { host: 'web2', totalBytes: 9 * MiB }],
  });
});

test('a disk that cannot be read has no figures', async () => {
  const blind = {
    ...space,
    snapshots: [],
    diskFreeBytes: undefined,
    diskTotalBytes: undefined,
    unfinishedBytes: 0,
    trashBytes: 0,
    removedBytes: 0,
  };
  const { stdout } = await ask(['space', 'web1'], [{ progress: undefined, host: blind }]);
  expect(stdout).toBe('Host web1 in /srv/backup\nThere are no snapshots.\n9.0 MiB in all.\n');
});
