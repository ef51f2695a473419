/** Downloads with the real thing: what arrives is what the host had, a slow reader costs nothing, and nothing is left. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials, type ClientReadableStream, type ServiceError } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DownloadFormat, type DownloadFilesResponse } from '../../src/gen/busy/v1/download.js';
import type { Run } from '../../src/gen/busy/v1/run.js';
import { SnapshotServiceClient } from '../../src/gen/busy/v1/snapshot_service.js';
import { compareTrees, makeFidelityTree, sparseFile } from '../helpers/fidelity-tree.js';
import { reasonOf } from '../helpers/grpc-calls.js';
import { runCommand } from '../helpers/run-command.js';
import { expectBackup } from '../helpers/stock.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

let bed: TestBed;
const clients: SnapshotServiceClient[] = [];
let run: Run;
const tree = (): string => join(bed.directory, 'tree');
const bulk = (): string => join(bed.directory, 'bulk');
const bulkBytes = 128 * 1024 * 1024;
/** Names that an argument, a shell or a program could take for something else. */
const oddNames = [
  Buffer.from([0x6f, 0xff, 0x2a, 0x5c]),
  Buffer.from('-rf'),
  Buffer.from(' a NAME {} with\nline end'),
  Buffer.from('ä\\#377 "quoted"'),
];

beforeAll(async () => {
  bed = await TestBed.create();
  const sshd = await bed.startSshd();
  await makeFidelityTree(tree());
  // 4 GiB of holes would be read by each comparison.
  await truncate(join(tree(), sparseFile), 200 * 1024 * 1024);
  for (const name of oddNames) await writeFile(Buffer.concat([Buffer.from(`${tree()}/odd `), name]), name);
  await writeFiles(bulk(), { 'a/random': 1, 'b/small': 'small', 'c/last': 'last' });
  execFileSync('dd', ['if=/dev/urandom', `of=${bulk()}/a/random`, 'bs=1M', 'count=128', 'status=none']);
  await bed.configure([
    bed.hostAt(sshd, { name: 'web1', srcdirs: [tree()] }),
    bed.hostAt(sshd, { name: 'bulk', srcdirs: [bulk()] }),
  ]);
  await bed.startDaemon();
  run = await expectBackup(bed, 'web1', tree());
}, 120_000);
afterAll(async () => {
  for (const client of clients) client.close();
  await bed.end();
});

function download(
  paths: readonly string[],
  format = DownloadFormat.UNSPECIFIED,
  snapshot = run,
): ClientReadableStream<DownloadFilesResponse> {
  // A connection for each: what a reader left unread when it went counts against all others on the same connection.
  const client = new SnapshotServiceClient(`unix:${bed.socket}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  clients.push(client);
  return client.downloadFiles({
    host: snapshot.host,
    snapshot: snapshot.snapshot,
    paths: [...paths],
    format,
  });
}

/** All of a download; throws what it ends with. */
async function receive(
  stream: ClientReadableStream<DownloadFilesResponse>,
): Promise<{ start: DownloadFilesResponse['start']; data: Buffer; largest: number }> {
  const pieces: Buffer[] = [];
  let start: DownloadFilesResponse['start'];
  for await (const message of stream as AsyncIterable<DownloadFilesResponse>) {
    start ??= message.start;
    pieces.push(message.data);
  }
  return { start, data: Buffer.concat(pieces), largest: Math.max(...pieces.map(({ length }) => length)) };
}

async function failure(stream: ClientReadableStream<DownloadFilesResponse>): Promise<string> {
  return receive(stream).then(
    () => 'it ended well',
    (error: unknown) => reasonOf(error),
  );
}

async function extract(tarball: Buffer | string, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const file = typeof tarball === 'string' ? tarball : join(directory, '..', 'tarball');
  if (typeof tarball !== 'string') await writeFile(file, tarball);
  const flags = ['--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner', '--same-owner'];
  const { code, stderr } = await runCommand('tar', ['-xpf', file, ...flags, '-C', directory]);
  // Of times that are far from now it says so.
  const others = stderr.split('\n').filter((line) => !/ time ?stamp /.test(line));
  expect({ code, others }).toEqual({ code: 0, others: [''] });
}

async function isReader(pid: number): Promise<boolean> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return /(^|\0|\/)(tar|gzip|dd|xargs|nice)\0/.test(line);
}

/** How many processes of the daemon cannot write any more. */
async function blocked(): Promise<number> {
  const pids = await bed.daemonChildren();
  return (await Promise.all(pids.map(isBlocked))).filter(Boolean).length;
}

/** It sleeps, for want of a reader. */
async function isBlocked(pid: number): Promise<boolean> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const wchan = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return line.startsWith('tar\0') && / S /.test(wchan);
}

async function memory(): Promise<number> {
  const status = await readFile(`/proc/${bed.daemonPid()}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

async function untilNoChildren(): Promise<void> {
  await until(async () => {
    const pids = await bed.daemonChildren();
    return !(await Promise.all(pids.map(isReader))).includes(true);
  }, 'the programs of downloads to end');
}

describe('a download', () => {
  it('of a tree has everything that the host had', async () => {
    const { start, data, largest } = await receive(download([tree()], DownloadFormat.TAR));
    expect(start).toMatchObject({
      format: DownloadFormat.TAR,
      contentType: 'application/x-tar',
      damagedFileCount: 0,
    });
    expect(start?.name).toBe(`web1-${run.snapshot}-tree.tar`);
    expect(largest).toBeLessThanOrEqual(64 * 1024);
    // Holes are not sent.
    expect(data.length).toBeLessThan(100 * 1024 * 1024);
    const target = join(bed.directory, 'extracted/all');
    await extract(data, target);
    // No tarball holds a socket.
    expect(await compareTrees(tree(), join(target, tree()))).toEqual(['cS+++++++++ special/socket']);
    await untilNoChildren();
  }, 120_000);

  it('of one file is the file, whatever it is called', async () => {
    for (const name of oddNames) {
      const shown = `${tree()}/odd ${name.toString('latin1').replace('\xff', '\\#377').replace('\n', '\\#012')}`;
      const path = name.toString('utf8').startsWith('ä') ? `${tree()}/odd ä\\#134#377 "quoted"` : shown;
      const { start, data } = await receive(download([path]));
      expect(start).toMatchObject({ format: DownloadFormat.FILE, sizeBytes: name.length });
      expect(start?.name).not.toMatch(/[/\n]/);
      expect(data).toEqual(name);
    }
  });

  it('of several names brings each once, and a directory with all that is below it', async () => {
    const deep = `${tree()}/hard links`;
    const { data } = await receive(
      download([`${deep}/first`, deep, `${tree()}/odd -rf`], DownloadFormat.TAR_GZ),
    );
    const file = join(bed.directory, 'several.tar.gz');
    await writeFile(file, data);
    const { stdout } = await runCommand('tar', ['-tzf', file]);
    const names = stdout.trimEnd().split('\n');
    expect(names).toHaveLength(new Set(names).size);
    expect(names).toContain(`${deep.slice(1)}/first`);
    expect(names).toContain(`${tree().slice(1)}/odd -rf`);
  });

  it('never leaves the snapshot', async () => {
    await symlink('/etc', join(bed.snapshotPath(run), 'data', tree(), 'planted'));
    expect(await failure(download([`${tree()}/planted/passwd`]))).toBe('PATH_REFUSED');
    expect(await failure(download([`${tree()}/../../../../etc/passwd`]))).toBe('PATH_REFUSED');
    expect(await failure(download(['etc/passwd']))).toBe('PATH_REFUSED');
    expect(await failure(download([]))).toBe('INVALID_ARGUMENT');
    expect(await failure(download(['/no/such/file']))).toBe('PATH_NOT_FOUND');
    // The link itself is sent as one.
    const { data } = await receive(download([`${tree()}/planted`], DownloadFormat.TAR));
    expect(data.includes('root:')).toBe(false);
    await rm(join(bed.snapshotPath(run), 'data', tree(), 'planted'));
    expect(await failure(download([tree()], DownloadFormat.FILE))).toBe('DOWNLOAD_NOT_ONE_FILE');
  });
});

describe('a slow reader', () => {
  let large: Run;

  beforeAll(async () => {
    large = await expectBackup(bed, 'bulk', bulk());
  }, 120_000);

  /** Takes the first messages and then no more. */
  async function begin(format: DownloadFormat): Promise<ClientReadableStream<DownloadFilesResponse>> {
    const stream = download([bulk()], format, large);
    stream.on('error', () => {});
    await once(stream, 'readable');
    return stream;
  }

  it('costs no memory, and there may be four of them', async () => {
    const before = await memory();
    const streams = await Promise.all(Array.from({ length: 4 }, () => begin(DownloadFormat.TAR)));
    expect(await failure(download([bulk()], DownloadFormat.TAR, large))).toBe('TOO_MANY_DOWNLOADS');
    // They have filled what there is to fill when tar cannot write any more: it sleeps in a pipe.
    await until(async () => (await blocked()) === 4, 'all four to wait for their readers');
    expect((await memory()) - before).toBeLessThan(bulkBytes / 2);
    for (const stream of streams) stream.cancel();
    await untilNoChildren();
    // Their places are free again.
    const stream = await begin(DownloadFormat.TAR_GZ);
    stream.cancel();
    await untilNoChildren();
  }, 120_000);

  it('is told when a file changes under it: what has arrived is not whole', async () => {
    const stream = await begin(DownloadFormat.TAR);
    await until(async () => (await blocked()) === 1, 'tar to wait for its reader');
    const stored = join(bed.snapshotPath(large), 'data', bulk());
    await rm(join(stored, 'c/last'));
    await truncate(join(stored, 'a/random'), bulkBytes / 2);
    const broken = once(stream, 'error');
    stream.resume();
    const [error] = (await broken) as [ServiceError];
    expect(reasonOf(error)).toBe('DOWNLOAD_BROKEN');
    await untilNoChildren();
  }, 120_000);

  it('of a single file learns the same', async () => {
    const path = `${bulk()}/a/random`;
    const stream = download([path], DownloadFormat.UNSPECIFIED, large);
    stream.on('error', () => {});
    await once(stream, 'readable');
    await truncate(join(bed.snapshotPath(large), 'data', path), bulkBytes / 4);
    const broken = once(stream, 'error');
    stream.resume();
    const [error] = (await broken) as [ServiceError];
    expect(error.details).toMatch(/random" has \d+ bytes, not \d+/);
  }, 120_000);
});

describe('busy download', () => {
  it('writes to a file under a temporary name, and to standard output', async () => {
    const path = `${tree()}/odd -rf`;
    const directory = join(bed.directory, 'downloads');
    await mkdir(directory);
    const target = join(directory, 'it');
    const toFile = await bed.busy(['download', 'web1', path, '--output', target]);
    expect(toFile).toMatchObject({ code: 0, stderr: '' });
    expect(await readFile(target, 'utf8')).toBe('-rf');
    expect(await bed.busy(['download', `web1/${run.snapshot}`, path])).toEqual({
      code: 0,
      stdout: '-rf',
      stderr: '',
    });
    await bed.busy(['download', 'web1', path, '-o', directory]);
    expect((await readdir(directory)).sort()).toEqual(['it', 'odd -rf']);
    const json = await bed.busy(['download', 'web1', path, '-o', target, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ host: 'web1', output: target, bytes: 3 });
    const refused = await bed.busy(['download', 'web1', `${path}-not`, '-o', join(directory, 'never')]);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('PATH_NOT_FOUND');
    expect((await readdir(directory)).sort()).toEqual(['it', 'odd -rf']);
    expect((await bed.busy(['download', 'web1', path, '--json'])).code).toBe(2);
  });

  it('says what is known to be damaged', async () => {
    await appendFile(join(bed.snapshotPath(run), 'data', tree(), 'odd -rf'), 'x');
    expect((await bed.busy(['verify', 'web1', run.snapshot])).code).toBe(1);
    const { code, stdout, stderr } = await bed.busy(['download', 'web1', `${tree()}/odd -rf`]);
    expect({ code, stdout }).toEqual({ code: 5, stdout: '-rfx' });
    expect(stderr).toContain('1 of the files are known to be damaged on the backup disk');
    expect(stderr).toContain(`${tree()}/odd -rf`);
  });
});
