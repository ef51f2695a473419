/**
 * Deleting by a call: into the trash, back, and out of it for good; also when the daemon is killed in the middle. And what
 * the audit log tells of it.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { compareTrees } from '../../clients/quickstart/compare-trees.js';
import { trashFaultPoints, type FaultPoint } from '../../src/fault-points.js';
import { BackupType } from '../../src/gen/busy/v1/run.js';
import { listedSnapshots, untilSwept } from '../helpers/host-store.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

const arm = new URL('../faults/arm.mjs', import.meta.url).href;

let bed: TestBed;
let source: string;
/** Oldest first. */
let names: string[];

beforeAll(async () => {
  bed = await TestBed.create();
  const sshd = await bed.startSshd();
  source = join(bed.directory, 'source');
  await writeFiles(source, { 'deep/file': 5000, other: 200_000 });
  await bed.configure([bed.hostAt(sshd, { name: 'web1', srcdirs: [source] })]);
  await bed.startDaemon();
  names = [];
  for (const type of [BackupType.FULL, BackupType.FULL, BackupType.INCREMENTAL])
    names.push((await bed.backUp('web1', type)).snapshot);
});
afterEach(() => bed.stopDaemon());
afterAll(() => bed.end());

const directory = (): string => join(bed.backupdir, 'web1');

async function inTrash(): Promise<{ host: string; snapshot: string; putBy: string }[]> {
  const { stdout } = await bed.busy(['trash', '--json']);
  return (JSON.parse(stdout) as { entries?: [] }).entries ?? [];
}

async function expectWhole(name: string): Promise<void> {
  expect(await compareTrees(source, join(directory(), name, 'data', source))).toEqual([]);
}

const audited = async (...args: string[]): Promise<Record<string, string>[]> => {
  const { stdout } = await bed.busy(['audit', '--json', ...args]);
  return (JSON.parse(stdout) as { entries?: Record<string, string>[] }).entries ?? [];
};
const auditFile = (): string => join(bed.directory, 'state/audit.log');

describe('a deleted snapshot', () => {
  test('is in the trash, takes up its space there, and comes back', async () => {
    const word = `web1/${names[0]}`;
    expect((await bed.busy(['delete', word])).code).toBe(2);
    const deleted = await bed.busy(['delete', word, '--yes']);
    expect(deleted.stderr).toBe('');
    expect(deleted.stdout).toMatch(/is in the trash until \d{4}-/);
    expect(await listedSnapshots(bed, 'web1')).toEqual(names.slice(1));
    expect((await bed.busy(['trash'])).stdout).toMatch(new RegExp(`^${word} +snapshot +.*socket`, 'm'));
    expect((await bed.busy(['space', 'web1'])).stdout).toMatch(/with \d.* KiB in the trash/);

    // A record of it would come back here, and so would the snapshot itself.
    await bed.stopDaemon();
    const reindexed = await bed.busyd(['reindex', '--config', bed.configFile]);
    expect(reindexed.stdout).toContain(`t ${names[0]}  is in the trash`);
    expect(reindexed.stdout).toContain('0 added, 0 corrected, 0 removed, 2 kept');
    await bed.startDaemon();

    expect((await bed.busy(['trash', 'restore', word])).stdout).toBe(`${word} is back.\n`);
    expect(await listedSnapshots(bed, 'web1')).toEqual(names);
    expect(await inTrash()).toEqual([]);
    await expectWhole(names[0] ?? '');
    await untilSwept(bed, 'web1');
  });

  test('that is the newest good one needs its name to be repeated', async () => {
    await bed.startDaemon();
    const word = `web1/${names[2]}`;
    const refused = await bed.busy(['delete', word, '--yes']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`--confirm ${word}`);
    expect(refused.stderr).toContain('(CONFIRMATION_NEEDED)');
    expect((await bed.busy(['delete', word, '--confirm', word])).code).toBe(0);
    // It is no link base any more, and its name is not given away.
    const next = await bed.backUp('web1', BackupType.INCREMENTAL);
    expect(next.snapshot > (names[2] ?? '')).toBe(true);
    const shown = await bed.busy(['snapshot', 'web1', next.snapshot, '--json']);
    expect(shown.stdout).not.toContain(names[2]);
    expect((await bed.busy(['trash', 'restore', word])).code).toBe(0);
    names.push(next.snapshot);
    expect(await listedSnapshots(bed, 'web1')).toEqual(names);
  });

  test('goes for good when the trash is emptied, and only with its name', async () => {
    await bed.startDaemon();
    const word = `web1/${names[3]}`;
    expect((await bed.busy(['delete', word, '--confirm', word])).code).toBe(0);
    const refused = await bed.busy(['trash', 'empty', word, '--yes']);
    expect(refused.stderr).toContain('(CONFIRMATION_NEEDED)');
    const emptied = await bed.busy(['trash', 'empty', word, '--confirm', word]);
    expect(emptied.stdout).toContain(`${word} is gone for good.`);
    names.pop();
    await untilSwept(bed, 'web1');
    expect(await listedSnapshots(bed, 'web1')).toEqual(names);
  });
});

describe('the audit log', () => {
  test('tells of what was asked for and of what was refused, and survives a daemon that is killed in the middle', async () => {
    await bed.startDaemon(armed('audit line is written'));
    const word = `web1/${names[0]}`;
    await bed.busy(['delete', word, '--yes']);
    expect(await bed.daemonEnd()).toBe('SIGKILL');
    await bed.startDaemon();
    expect(await listedSnapshots(bed, 'web1')).toEqual(names);
    const [last] = await audited('--host', 'web1');
    expect(last).toMatchObject({
      caller: 'socket',
      call: 'DeleteSnapshot',
      outcome: 'AUDIT_OUTCOME_UNKNOWN',
    });
    expect((await bed.busy(['delete', `web1/${names.at(-1)}`, '--yes'])).code).toBe(1);
    expect(await audited('--limit', '1')).toMatchObject([
      { outcome: 'AUDIT_OUTCOME_FAILED', reason: 'CONFIRMATION_NEEDED' },
    ]);
    expect(await bed.busy(['audit', '--verify'])).toMatchObject({ code: 0, stderr: '' });
  });

  test('is found broken where a line was changed, by the daemon and without it', async () => {
    await bed.startDaemon();
    const text = await readFile(auditFile(), 'utf8');
    await writeFile(auditFile(), text.replace('"DeleteSnapshot"', '"GetSnapshot"'));
    const broken = await bed.busy(['audit', '--verify']);
    expect(broken).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^BROKEN .*audit\.log line \d+: /),
    });
    await bed.stopDaemon();
    const offline = await bed.busyd(['audit-verify', join(bed.directory, 'state')]);
    expect(offline).toMatchObject({ code: 1, stdout: broken.stdout });
    await writeFile(auditFile(), text);
    expect((await bed.busyd(['audit-verify', auditFile()])).stdout).toContain('is whole');
  });

  test('that cannot be written keeps everything from being changed, and no backup from being made', async () => {
    await rename(auditFile(), `${auditFile()}.aside`);
    await mkdir(auditFile());
    await bed.startDaemon();
    const refused = await bed.busy(['delete', `web1/${names[0]}`, '--yes']);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('(AUDIT_UNAVAILABLE)') });
    expect(await listedSnapshots(bed, 'web1')).toEqual(names);
    expect((await bed.busy(['info'])).stdout).toContain('the log cannot be written');
    await rm(auditFile(), { recursive: true });
    await rename(`${auditFile()}.aside`, auditFile());
    expect((await bed.busy(['verify', 'web1'])).code).toBe(0);
    expect((await bed.busy(['audit', '--verify'])).code).toBe(0);
  });
});

describe('fault 15: a daemon that is killed as soon as the', () => {
  const killing: Readonly<Record<(typeof trashFaultPoints)[number], readonly string[]>> = {
    'trash is noted': ['delete'],
    'snapshot is in the trash': ['delete'],
    'snapshot is out of the trash': ['trash', 'restore'],
    'trash is taken out': ['trash', 'empty'],
  };

  test.each(trashFaultPoints)('%s', async (step) => {
    const name = names[0] ?? '';
    const word = `web1/${name}`;
    const command = killing[step];
    if (command[0] === 'trash') {
      await bed.startDaemon();
      expect((await bed.busy(['delete', word, '--yes'])).code).toBe(0);
      await bed.stopDaemon();
    }
    await bed.startDaemon(armed(step));
    await bed.busy([...command, word, ...(command[1] === 'restore' ? [] : ['--confirm', word])]);
    expect(await bed.daemonEnd()).toBe('SIGKILL');
    await bed.startDaemon();

    const isGone = step === 'trash is taken out';
    await until(
      async () => {
        const [listed, trashed] = [await listedSnapshots(bed, 'web1'), await inTrash()];
        const isThere = (await readdir(directory())).includes(name);
        const isInTrash = trashed.some(({ snapshot }) => snapshot === name);
        return listed.includes(name) === isThere && (isGone ? !isThere && !isInTrash : isInTrash !== isThere);
      },
      'records, disk and trash to agree',
      () => bed.daemonLog(),
    );
    if (isGone) names.shift();
    else {
      if ((await inTrash()).length > 0) expect((await bed.busy(['trash', 'restore', word])).code).toBe(0);
      await expectWhole(name);
    }
    expect(await listedSnapshots(bed, 'web1')).toEqual(names);
    await untilSwept(bed, 'web1');
  });
});

function armed(fault: FaultPoint): Record<string, string> {
  return { BUSY_FAULT: fault, NODE_OPTIONS: `--import=${arm}` };
}
