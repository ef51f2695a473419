/** Archives that cannot be made yet: the snapshot stays, nothing half-written has a name. And archives in the trash. */
import { randomBytes } from 'node:crypto';
import { access, chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BackupType, RunState } from '../../src/gen/busy/v1/run.js';
import { archive, listArchives } from '../helpers/archive-calls.js';
import { listedSnapshots } from '../helpers/host-store.js';
import { mountSmallDisk, type SmallDisk } from '../helpers/small-disk.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

/** To root nothing is unreadable. */
const tar =
  process.getuid?.() === 0
    ? 'setpriv --bounding-set=-dac_override,-dac_read_search /usr/bin/tar'
    : '/usr/bin/tar';

let bed: TestBed;
let disk: SmallDisk;
let source: string;
let archivedir: string;

const start = (): Promise<void> =>
  bed.startDaemon({ PATH: `${join(bed.directory, 'bin')}:${process.env['PATH'] ?? ''}` });

beforeAll(async () => {
  bed = await TestBed.create();
  const sshd = await bed.startSshd();
  [source, archivedir] = [join(bed.directory, 'source'), join(bed.directory, 'archive')];
  await mkdir(archivedir);
  disk = await mountSmallDisk(archivedir, '1m');
  await writeFiles(source, { kept: 5000, 'deep/kept': 5000 });
  await writeFile(join(source, 'random'), randomBytes(2_000_000));
  await bed.writeProgram(
    'bin/tar',
    `#!/bin/sh\nif [ -e "${bed.directory}/hold" ]; then head -c 500000 /dev/urandom; touch "${bed.directory}/held"; exec sleep 600; fi\nexec ${tar} "$@"\n`,
  );
  const settings = { archivedir, archive_schedule: 'never', max_age: 0 };
  await bed.configure([bed.hostAt(sshd, { name: 'web1', srcdirs: [source], ...settings })]);
  await start();
});
afterAll(async () => {
  // One of the tests has done so, unless it failed.
  await disk.unmount().catch(() => {});
  await bed.end();
});

/** The older one may go. */
async function backUpTwice(): Promise<string> {
  const { snapshot } = await bed.backUp('web1', BackupType.FULL);
  await bed.backUp('web1', BackupType.FULL);
  return snapshot;
}

async function expectNothingOf(name: string): Promise<void> {
  expect(await listedSnapshots(bed, 'web1')).toContain(name);
  const files = await readdir(archivedir);
  expect(files.filter((file) => file.includes(name))).toEqual([]);
  expect((await listArchives(bed, 'web1')).map((one) => one.name)).not.toContain(name);
}

async function expectSecondTry(name: string): Promise<void> {
  const run = await archive(bed, 'web1', name);
  expect(run.state, JSON.stringify(run.error)).toBe(RunState.SUCCEEDED);
  expect(run.archiving).toMatchObject({ archived: [name], removed: [name] });
  expect((await readdir(archivedir)).filter((file) => file.startsWith('.partial-'))).toEqual([]);
  expect((await bed.busy(['archive-verify', `web1/${name}`])).code).toBe(0);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

describe('a snapshot stays, and is archived by a second try, when', () => {
  test('the archive disk is full', async () => {
    const name = await backUpTwice();
    const run = await archive(bed, 'web1', name);
    expect([run.state, run.error?.reason]).toEqual([RunState.FAILED, 'ARCHIVE_DISK_FULL']);
    await expectNothingOf(name);
    await disk.resize('64m');
    await expectSecondTry(name);
  });

  test('a file of it cannot be read', async () => {
    const name = await backUpTwice();
    const file = join(bed.backupdir, 'web1', name, 'data', source, 'deep/kept');
    await chmod(file, 0);
    const run = await archive(bed, 'web1', name);
    expect([run.state, run.error?.reason]).toEqual([RunState.FAILED, 'SNAPSHOT_UNREADABLE']);
    await expectNothingOf(name);
    await chmod(file, 0o644);
    await expectSecondTry(name);
  });

  test('the run is cancelled in the middle', async () => {
    const name = await backUpTwice();
    await writeFile(join(bed.directory, 'hold'), '');
    const ended = archive(bed, 'web1', name);
    await until(() => isThere(join(bed.directory, 'held')), 'half of it is written');
    expect((await readdir(archivedir)).some((file) => file.startsWith('.partial-'))).toBe(true);
    expect((await bed.busy(['cancel', (await bed.lastRun('web1')).id])).code).toBe(0);
    expect((await ended).state).toBe(RunState.CANCELLED);
    await expectNothingOf(name);
    await rm(join(bed.directory, 'hold'));
    await expectSecondTry(name);
  });

  test('the archive directory is not there', async () => {
    const name = await backUpTwice();
    await disk.unmount();
    await rename(archivedir, `${archivedir} away`);
    const run = await archive(bed, 'web1', name);
    expect([run.state, run.error?.reason]).toEqual([RunState.FAILED, 'ARCHIVEDIR_UNUSABLE']);
    await rename(`${archivedir} away`, archivedir);
    await expectNothingOf(name);
    await expectSecondTry(name);
  });
});

const word = (name: string): string => `web1/${name}`;
const filesOf = async (name: string): Promise<string[]> =>
  (await readdir(archivedir)).filter((file) => file.includes(name)).sort();
const namesIn = (name: string): string[] => [
  `web1-${name}.json`,
  `web1-${name}.manifest.gz`,
  `web1-${name}.tar.gz`,
];

async function inTrash(): Promise<string[]> {
  const { stdout } = await bed.busy(['trash', '--json']);
  const { entries = [] } = JSON.parse(stdout) as { entries?: { snapshot: string; kind: string }[] };
  return entries.map(({ kind, snapshot }) => `${kind} ${snapshot}`);
}

async function newArchive(): Promise<string> {
  const name = await backUpTwice();
  await expectSecondTry(name);
  return name;
}

describe('a deleted archive', () => {
  test('comes back from the trash whole', async () => {
    const name = await newArchive();
    expect((await bed.busy(['archive-delete', word(name), '--yes'])).code).toBe(0);
    expect(await inTrash()).toEqual([`TRASH_KIND_ARCHIVE ${name}`]);
    expect((await bed.busy(['trash'])).stdout).toMatch(new RegExp(`^${word(name)} +archive +.*socket`, 'm'));
    // A run clears what others left; this is not of them.
    await newArchive();
    expect((await bed.busy(['trash', 'restore', word(name)])).stderr).toBe('');
    expect(await inTrash()).toEqual([]);
    expect(await filesOf(name)).toEqual(namesIn(name));
    expect((await bed.busy(['archive-verify', word(name)])).code).toBe(0);
  });

  test('goes for good when that is confirmed', async () => {
    const name = await newArchive();
    await bed.busy(['archive-delete', word(name), '--yes']);
    const refused = await bed.busy(['trash', 'empty', word(name), '--confirm', 'web1']);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('CONFIRMATION_NEEDED')]);
    expect(await inTrash()).toEqual([`TRASH_KIND_ARCHIVE ${name}`]);
    expect((await bed.busy(['trash', 'empty', word(name), '--confirm', word(name)])).code).toBe(0);
    expect(await filesOf(name)).toEqual([]);
    expect(await inTrash()).toEqual([]);
  });

  test('is forgotten by the next start when a crash came before that, and goes when its time has come', async () => {
    const [name, old] = [await newArchive(), await newArchive()];
    await bed.stopDaemon();
    const move = async (one: string, id: string): Promise<void> => {
      for (const file of namesIn(one))
        await rename(join(archivedir, file), join(archivedir, `.trash-${id}-${file}`));
    };
    await move(name, ulid());
    await move(old, ulid(1));
    // What a crash left beside a tarball that never came.
    await writeFile(join(archivedir, `.trash-${ulid()}-web1-${name}.by.json`), '{}');
    await start();
    await until(async () => (await filesOf(old)).length === 0, 'what is old enough is gone');
    expect(await filesOf(name)).toHaveLength(3);
    expect((await listArchives(bed, 'web1')).map((one) => one.name)).not.toContain(name);
    expect((await listArchives(bed, 'web1')).map((one) => one.name)).not.toContain(old);
    const audit = await bed.busy(['audit', '--json', '--host', 'web1']);
    expect(audit.stdout).toMatch(new RegExp(`EmptyTrash(.|\\n)*${old}`));
  });
});
