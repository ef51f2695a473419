/** What is taken out of a tarball that nothing lies beside. */
import { link, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import { chooseFromOriginal, type OriginalChoiceReport } from '../../src/execute/original-choice.js';
import { listTarball, parseListed } from '../../src/execute/tar-listing.js';
import { runCommand } from '../helpers/run-command.js';

const name = '2011-03-27_12-30-00f';
const odd = 'a "b" -> c\n\\ä';
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-original-'));
  const snapshot = join(directory, name);
  for (const place of ['_etc_ssh/keys', '_home', 'data/etc'])
    await mkdir(join(snapshot, place), { recursive: true });
  await writeFile(join(snapshot, 'backup.log'), 'Backup finished, 0 failures\n');
  await writeFile(join(snapshot, '_etc_ssh/config'), 'content');
  await writeFile(join(snapshot, '_etc_ssh/keys', odd), '12345');
  await writeFile(join(snapshot, 'data/etc/hosts'), 'hosts');
  await link(join(snapshot, '_etc_ssh/config'), join(snapshot, '_home/same'));
  await symlink('/etc', join(snapshot, '_home/planted'));
  const tar = async (file: string, from: string, ...what: string[]): Promise<void> => {
    const { code, stderr } = await runCommand('tar', ['-czf', join(directory, file), '-C', from, ...what]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  };
  const flat = ['_etc_ssh', '_home', 'backup.log'].map((part) => `${name}/${part}`);
  await tar('flat.tar.gz', directory, ...flat);
  await tar('deep.tar.gz', '/', ...flat.map((part) => `${directory.slice(1)}/${part}`));
  await writeFile(join(snapshot, 'snapshot.json'), '{}');
  await tar('ours.tar.gz', directory, `${name}/data`, `${name}/snapshot.json`);
  await rename(snapshot, `${snapshot} away`);
});
afterEach(() => void vi.unstubAllEnvs());
afterAll(() => rm(directory, { recursive: true, force: true }));

function choose(file: string, paths: string[], srcdirs: string[] = []): Promise<OriginalChoiceReport> {
  const task = { archive: join(directory, file), format: 'tar.gz' as const, snapshot: name, srcdirs, paths };
  return chooseFromOriginal(task, { check: () => {} });
}

describe('of an archive of the original BUSY', () => {
  it('is taken what lies below a path of the host, or a path in the snapshot', async () => {
    for (const path of ['/etc/ssh/keys', '/_etc_ssh/keys']) {
      expect(await choose('flat.tar.gz', [path])).toMatchObject({
        top: name,
        hasData: false,
        paths: ['/etc/ssh/keys'],
        members: [`${name}/_etc_ssh/keys`],
        parents: [`${name}/_etc_ssh`],
        bytes: 5,
        sources: [
          { name: '_etc_ssh', path: '/etc/ssh' },
          { name: '_home', path: '/home' },
        ],
      });
    }
  });

  it('is taken the file that a link shares', async () => {
    const { members } = await choose('flat.tar.gz', ['/home/same']);
    expect(members).toEqual([`${name}/_home/same`, `${name}/_etc_ssh/config`]);
  });

  it('is taken all, and what lies above source directories', async () => {
    for (const path of ['/', '/etc']) {
      const { members } = await choose('flat.tar.gz', [path]);
      expect(members).toEqual([`${name}/_etc_ssh`, ...(path === '/' ? [`${name}/_home`] : [])]);
    }
  });

  it('has the source directories of the host where they fit, wherever it lies in the tarball', async () => {
    const { sources, members } = await choose('deep.tar.gz', ['/etc_ssh/config'], ['/etc_ssh']);
    expect(sources[0]).toEqual({ name: '_etc_ssh', path: '/etc_ssh' });
    expect(members).toEqual([`${directory.slice(1)}/${name}/_etc_ssh/config`]);
  });

  it('is said what is not there', async () => {
    for (const path of ['/nowhere', '/backup.log', '/home/planted/passwd']) {
      const reason = await choose('flat.tar.gz', [path]).then(
        () => 'found',
        (error: BusyError) => error.reason,
      );
      expect(reason, path).toBe('PATH_NOT_FOUND');
    }
  });
});

it('an archive of ours whose json was lost has its files below data', async () => {
  expect(await choose('ours.tar.gz', ['/etc/hosts'])).toMatchObject({
    hasData: true,
    sources: [],
    members: [`${name}/data/etc/hosts`],
    parents: [`${name}/data/etc`],
    bytes: 5,
  });
});

describe('a listing', () => {
  it('has the names as they are, links and sizes', async () => {
    const found = [];
    for await (const member of listTarball(join(directory, 'flat.tar.gz'), 'tar.gz', () => {}))
      found.push(member);
    const bytes = Buffer.from(odd).toString('latin1');
    expect(found).toContainEqual({
      path: `${name}/_etc_ssh/keys/${bytes}`,
      type: 'other',
      bytes: 5,
      target: '',
    });
    const target = `${name}/_etc_ssh/config`;
    expect(found).toContainEqual({ path: `${name}/_home/same`, type: 'link', bytes: 0, target });
  });

  it('says of what is broken, and of another format, that it cannot be read', async () => {
    await writeFile(join(directory, 'broken'), 'no tarball');
    for (const format of ['tar.gz', 'tar.zst'] as const) {
      const listing = listTarball(join(directory, 'broken'), format, () => {}).next();
      await expect(listing).rejects.toMatchObject({ reason: 'ARCHIVE_NOT_RESTORABLE' });
    }
  });

  it.each([
    ['was killed', 'kill -9 $$'],
    ['cannot start what decompresses', 'PATH=/nowhere exec TAR "$@"'],
    ['lost what decompresses', 'echo "tar: Child died with signal 9" >&2; exit 2'],
    ['lacks memory', 'echo "zstd: error 11 : Allocation error : not enough memory" >&2; exit 2'],
  ])('is no word about the tarball when tar %s', async (_, script) => {
    const tar = (await runCommand('sh', ['-c', 'command -v tar'])).stdout.trim();
    await writeFile(join(directory, 'tar'), `#!/bin/sh\n${script.replace('TAR', tar)}\n`, { mode: 0o755 });
    vi.stubEnv('PATH', `${directory}:${process.env.PATH}`);
    const listing = listTarball(join(directory, 'flat.tar.gz'), 'tar.gz', () => {}).next();
    await expect(listing).rejects.toThrow(/^tar ended with/);
    await expect(choose('flat.tar.gz', ['/etc'])).rejects.toMatchObject({ reason: 'ARCHIVE_NOT_RESTORABLE' });
  });

  it('ends when it is to end', async () => {
    await runCommand('mkfifo', [join(directory, 'fifo')]);
    const listing = listTarball(join(directory, 'fifo'), 'tar.gz', refuse).next();
    await expect(listing).rejects.toMatchObject({ reason: 'CANCELLED' });
  });

  it('passes over what is no file', () => {
    expect(parseListed('V--------- 0/0 0 2011-03-27 12:30:00 "label"--Volume Header--')).toBeNull();
    expect(parseListed('brw-rw---- 0/6 8,1 2011-03-27 12:30:00 "sda"')).toMatchObject({
      path: 'sda',
      bytes: 0,
    });
  });
});

function refuse(): never {
  throw new BusyError('CANCELLED');
}
