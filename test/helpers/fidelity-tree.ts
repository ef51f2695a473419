/**
 * A directory with one of everything that a backup may lose: links, holes, odd modes, odd times, odd names.
 * What the file system or the user cannot make is left out and said so.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, lchown, link, mkdir, open, rename, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makeLongPath, makeNames } from './fidelity-names.js';

export { compareTrees } from '../../clients/quickstart/compare-trees.js';

/** The length of the sparse file: beyond what 32 bits can say, and not a multiple of a block. */
export const sparseFileBytes = 4 * 1024 ** 3 + 5;

/** Its place below the tree. */
export const sparseFile = 'sparse/4GiB';

const isRoot = process.getuid?.() === 0;
const runFile = promisify(execFile);

/** Fills `dir`, which is made when missing. `description` has one line a part, also for what had to be left out. */
export async function makeFidelityTree(dir: string): Promise<{ description: string[] }> {
  await mkdir(dir, { recursive: true });
  const parts: [name: string, make: (dir: string) => Promise<void>][] = [
    ['nested directories, an empty directory, an empty file, small and larger files', makeContents],
    ['symlinks: to files and directories, dangling, absolute, circular, long', makeSymlinks],
    ['hard links in one directory and across directories', makeHardLinks],
    ['names with blanks, quotes, control characters, other encodings, the greatest length', makeNames],
    ['a path of more than 1000 bytes', makeLongPath],
    ['a sparse file of 4 GiB and 5 bytes, and one that is all hole', makeSparseFiles],
    ['a FIFO and a socket', makeSpecials],
    ['setuid, setgid, sticky and odd modes', makeModes],
    ['files that nobody may read', makeUnreadable],
    ['foreign owners, also above 2^21', makeOwners],
    ['character and block devices', makeDevices],
    ['extended attributes', makeAttributes],
    ['file capabilities', makeCapabilities],
    ['ACLs', makeAcls],
    // Last, since making an entry changes the time of its directory.
    ['times with nanoseconds, before 1970 and after 2038', makeTimes],
  ];
  const needRoot = new Set([makeUnreadable, makeOwners, makeDevices, makeCapabilities]);
  const mayBeMissing = new Set([makeDevices, makeAttributes, makeCapabilities, makeAcls]);
  const description: string[] = [];
  for (const [name, make] of parts) {
    if (needRoot.has(make) && !isRoot) {
      description.push(`left out, needs root: ${name}`);
      continue;
    }
    try {
      await make(dir);
      description.push(name);
    } catch (error) {
      if (!mayBeMissing.has(make)) throw error;
      description.push(`left out: ${name} (${String(error).trim().replaceAll('\n', ' ')})`);
    }
  }
  return { description };
}

async function makeContents(dir: string): Promise<void> {
  await mkdir(join(dir, 'nested/a/b/c'), { recursive: true });
  await mkdir(join(dir, 'nested/empty directory'));
  await writeFile(join(dir, 'nested/empty'), '');
  await writeFile(join(dir, 'nested/a/text'), 'one line without an end');
  await writeFile(join(dir, 'nested/a/b/zeros'), Buffer.alloc(5000));
  await writeFile(
    join(dir, 'nested/a/b/c/all bytes'),
    Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
  );
  await writeFile(join(dir, 'nested/a/b/larger'), 'BUSY backs up.\n'.repeat(50_000));
}

async function makeSymlinks(dir: string): Promise<void> {
  await mkdir(join(dir, 'symlinks'));
  const targets: Record<string, string | Buffer> = {
    'to file': '../nested/a/text',
    'to directory': '../nested',
    dangling: 'nowhere/at all',
    absolute: '/etc/hostname',
    outside: '../../../../../..',
    circular: 'circular',
    long: `${'d'.repeat(200)}/`.repeat(10),
    'not utf-8': Buffer.from([0x74, 0xff, 0xfe]),
  };
  for (const [name, target] of Object.entries(targets)) await symlink(target, join(dir, 'symlinks', name));
}

async function makeHardLinks(dir: string): Promise<void> {
  await mkdir(join(dir, 'hard links/other'), { recursive: true });
  await writeFile(join(dir, 'hard links/first'), 'one file, three names');
  await link(join(dir, 'hard links/first'), join(dir, 'hard links/second'));
  await link(join(dir, 'hard links/first'), join(dir, 'hard links/other/third'));
  await writeFile(join(dir, 'hard links/twin 1'), 'equal, but two files');
  await writeFile(join(dir, 'hard links/twin 2'), 'equal, but two files');
  await symlink('first', join(dir, 'hard links/link'));
  await link(join(dir, 'hard links/link'), join(dir, 'hard links/link again'));
}

async function makeSparseFiles(dir: string): Promise<void> {
  await mkdir(join(dir, 'sparse'));
  await runFile('truncate', ['-s', '1M', join(dir, 'sparse/all hole')]);
  const file = await open(join(dir, sparseFile), 'w');
  try {
    await file.truncate(sparseFileBytes);
    await file.write('after the first GiB', 1024 ** 3 + 123);
    await file.write(Buffer.alloc(10_000, 7), 0, 10_000, 2 * 1024 ** 3 - 5000);
    await file.write('end.\n', sparseFileBytes - 5);
  } finally {
    await file.close();
  }
}

async function makeSpecials(dir: string): Promise<void> {
  await mkdir(join(dir, 'special'));
  await runFile('mkfifo', ['-m', '640', join(dir, 'special/fifo')]);
  // A socket's path is limited to 107 bytes, but not its way through an open directory.
  const directory = await open(join(dir, 'special'));
  const server = createServer();
  server.listen(`/proc/self/fd/${directory.fd}/closing`);
  await once(server, 'listening');
  // The end of a server removes its socket, unless it has another name by then.
  await rename(join(dir, 'special/closing'), join(dir, 'special/socket'));
  server.close();
  await once(server, 'close');
  await directory.close();
}

async function makeModes(dir: string): Promise<void> {
  await mkdir(join(dir, 'modes'));
  for (const mode of [0o400, 0o600, 0o777, 0o1644, 0o2755, 0o4755, 0o6711]) {
    const file = join(dir, 'modes', `file ${mode.toString(8)}`);
    await writeFile(file, 'mode');
    await chmod(file, mode);
  }
  for (const mode of [0o700, 0o777, 0o1777, 0o2775]) {
    const directory = join(dir, 'modes', `directory ${mode.toString(8)}`);
    await mkdir(directory);
    await writeFile(join(directory, 'inside'), 'mode');
    await chmod(directory, mode);
  }
}

async function makeUnreadable(dir: string): Promise<void> {
  await mkdir(join(dir, 'unreadable/directory 555'), { recursive: true });
  await writeFile(join(dir, 'unreadable/file 0'), 'mode');
  await writeFile(join(dir, 'unreadable/directory 555/file'), 'mode');
  await chmod(join(dir, 'unreadable/file 0'), 0);
  await chmod(join(dir, 'unreadable/directory 555'), 0o555);
  await mkdir(join(dir, 'unreadable/directory 0'), { mode: 0 });
}

async function makeOwners(dir: string): Promise<void> {
  await mkdir(join(dir, 'owners/directory'), { recursive: true });
  for (const [uid, gid] of [
    [1234, 4321],
    [65_534, 65_534],
    [3_000_000, 3_000_001],
    [4_294_967_000, 0],
  ] as const) {
    const file = join(dir, 'owners', `${uid} ${gid}`);
    await writeFile(file, 'owner');
    await chown(file, uid, gid);
  }
  // The change of the owner takes these bits away, so a copy must set them in the right order.
  const setuid = join(dir, 'owners/setuid');
  await writeFile(setuid, 'owner');
  await chown(setuid, 1234, 1234);
  await chmod(setuid, 0o4755);
  await symlink('setuid', join(dir, 'owners/link'));
  await lchown(join(dir, 'owners/link'), 1234, 4321);
  await chown(join(dir, 'owners/directory'), 2_500_000, 100);
}

async function makeDevices(dir: string): Promise<void> {
  await mkdir(join(dir, 'devices'));
  await runFile('mknod', ['-m', '600', join(dir, 'devices/null'), 'c', '1', '3']);
  await runFile('mknod', ['-m', '640', join(dir, 'devices/loop'), 'b', '7', '200']);
}

async function makeAttributes(dir: string): Promise<void> {
  await mkdir(join(dir, 'attributes'));
  const file = join(dir, 'attributes/file');
  await writeFile(file, 'attributes');
  for (const [name, value] of [
    ['text', 'some text'],
    ['empty', '""'],
    ['binary', '0x00ff0a5c'],
    ['long', 'v'.repeat(2000)],
  ] as const) {
    await runFile('setfattr', ['-n', `user.busy.${name}`, '-v', value, file]);
  }
  await runFile('setfattr', ['-n', 'user.busy', '-v', 'on a directory', join(dir, 'attributes')]);
}

async function makeCapabilities(dir: string): Promise<void> {
  await mkdir(join(dir, 'capabilities'));
  const file = join(dir, 'capabilities/may bind low ports');
  await writeFile(file, 'capability', { mode: 0o755 });
  await runFile('setfattr', [
    '-n',
    'security.capability',
    '-v',
    '0x0100000200040000000000000000000000000000',
    file,
  ]);
}

async function makeAcls(dir: string): Promise<void> {
  await mkdir(join(dir, 'acls'));
  await writeFile(join(dir, 'acls/file'), 'ACL');
  await runFile('setfacl', ['-m', 'u:1234:rw,g:4321:r,m::rw', join(dir, 'acls/file')]);
  await runFile('setfacl', ['-m', 'u:1234:rwx,d:u:1234:rwx,d:g:4321:rx', join(dir, 'acls')]);
  await writeFile(join(dir, 'acls/heir'), 'inherits the default ACL');
}

async function makeTimes(dir: string): Promise<void> {
  const times = ['1965-03-04 05:06:07.123456789', '1970-01-01 00:00:00', '2001-02-03 04:05:06.000000001'];
  times.push('2100-12-31 23:59:59.999999999');
  await mkdir(join(dir, 'times'));
  for (const time of times) {
    await writeFile(join(dir, 'times', time), 'time');
    await symlink(time, join(dir, 'times', `${time} link`));
    await mkdir(join(dir, 'times', `${time} directory`));
  }
  // Entries as young as their copy would let a copy with wrong fractions of a second look right.
  await runFile('find', [
    dir,
    '-exec',
    'touch',
    '-h',
    '-d',
    '1999-12-31 23:59:59.987654321 UTC',
    '--',
    '{}',
    '+',
  ]);
  for (const time of times) {
    const entries = [time, `${time} link`, `${time} directory`].map((name) => join(dir, 'times', name));
    await runFile('touch', ['-h', '-d', `${time} UTC`, '--', ...entries]);
  }
}
