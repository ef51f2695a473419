/** What GNU tar writes is read back: names of any bytes, nanoseconds, holes, and sizes beyond 8 GiB. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TarReader, type TarEntry } from '../../src/execute/tar-reader.js';
import { TarUnusable } from '../../src/execute/tar-unusable.js';
import { runCommand } from '../helpers/run-command.js';

let directory = '';
beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'busy-tar-'))));
afterEach(() => rm(directory, { recursive: true }));

async function tarOf(...options: string[]): Promise<string> {
  const tarball = join(directory, 'out.tar');
  const all = [
    '-c',
    '--format=posix',
    '--sparse',
    '--sort=name',
    ...options,
    '-f',
    tarball,
    '-C',
    directory,
    'in',
  ];
  const { code, stderr } = await runCommand('tar', all);
  expect([code, stderr]).toEqual([0, '']);
  return tarball;
}

function readerOf(file: string, chunkBytes = 1000): TarReader {
  const stream = createReadStream(file, { highWaterMark: chunkBytes });
  return new TarReader(stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>);
}

async function entriesOf(file: string): Promise<TarEntry[]> {
  const reader = readerOf(file, 100_000);
  const entries: TarEntry[] = [];
  for (let entry = await reader.next(); entry; entry = await reader.next()) entries.push(entry);
  return entries;
}

async function make(script: string): Promise<void> {
  const { code, stderr } = await runCommand('sh', [
    '-ec',
    `mkdir -p "$0/in"; cd "$0/in"; ${script}`,
    directory,
  ]);
  expect([code, stderr]).toEqual([0, '']);
}

describe('a tarball of GNU tar', () => {
  it('has names, links, types and times as they were', async () => {
    const long = 'long/'.repeat(60);
    await make(
      `printf a > "$(printf 'b\\377\\nc')"; mkdir -p ${long}; ln -s "$(printf 'to\\200')" link; ln link hard; mkfifo fifo;
       touch -d '@1700000000.123456789' ns; touch -d '@-1.5' early; touch -d '@5' whole`,
    );
    const entries = await entriesOf(await tarOf());
    const of = (path: string): TarEntry | undefined => entries.find((entry) => entry.path === path);
    expect(of('in/b\u00ff\nc')).toMatchObject({ type: 'file', size: 1 });
    expect(of(`in/${long.slice(0, -1)}`)).toMatchObject({ type: 'directory' });
    // The first by name is the entry, the other one a link to it.
    expect(of('in/hard')).toMatchObject({ type: 'symlink', target: 'to\u0080' });
    expect(of('in/link')).toMatchObject({ type: 'link', target: 'in/hard' });
    expect(of('in/fifo')).toMatchObject({ type: 'fifo' });
    expect(of('in/ns')?.mtimeNs).toBe('1700000000123456789');
    expect(of('in/early')?.mtimeNs).toBe('-1500000000');
    expect(of('in/whole')?.mtimeNs).toBe('5000000000');
  });

  it('has the content of a file with holes, and the length of one beyond 8 GiB', async () => {
    await make('printf start > holes; truncate -s 300K holes; printf end >> holes; truncate -s 9G large');
    const tarball = await tarOf();
    const large = (await entriesOf(tarball)).find(({ path }) => path === 'in/large');
    expect(large).toMatchObject({ type: 'file', size: 9 * 2 ** 30 });
    const reader = readerOf(tarball);
    await reader.next();
    expect(await reader.next()).toMatchObject({ path: 'in/holes', size: 300 * 1024 + 3 });
    const hash = createHash('sha256');
    await reader.content((piece) => void hash.update(piece));
    const expected = createHash('sha256').update(await readFile(join(directory, 'in/holes')));
    expect(hash.digest('hex')).toBe(expected.digest('hex'));
    expect(await reader.next()).toMatchObject({ path: 'in/large' });
  });

  it('has large ids, which stand in extended headers', async () => {
    await make('printf a > file');
    const [, file] = await entriesOf(await tarOf('--owner=:3000000000', '--group=:2100000'));
    expect(file).toMatchObject({ uid: 3_000_000_000, gid: 2_100_000 });
  });

  it('with a map of holes that cannot be is refused before it fills the memory', async () => {
    await make('truncate -s 1M holes; printf end >> holes');
    const whole = await readFile(await tarOf());
    const at = whole.indexOf('2\n1048576\n3\n');
    expect(at % 512).toBe(0);
    const refused = async (map: string): Promise<void> => {
      const changed = Buffer.from(whole);
      changed.fill(0, at, at + 512);
      changed.write(map, at);
      await writeFile(join(directory, 'changed.tar'), changed);
      await expect(entriesOf(join(directory, 'changed.tar')), map).rejects.toThrow(/sparse file/);
    };
    await refused('-1\n1048576\n3\n');
    await refused('1\n-5\n3\n');
    await refused('x\n1048576\n3\n');
    await refused('\n1048576\n3\n');
    await refused(`${'7'.repeat(400)}\n`);
    await refused('99999999\n1048576\n3\n');
  });

  it('with a map without an end is refused at once', async () => {
    await make('truncate -s 1M holes; printf end >> holes');
    const whole = await readFile(await tarOf());
    const at = whole.indexOf('2\n1048576\n3\n');
    const header = Buffer.from(whole.subarray(at - 512, at));
    header.write('77777777777', 124, 'latin1');
    header.fill(' ', 148, 156);
    const sum = header.reduce((all, byte) => all + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    let pulled = 0;
    async function* endless(): AsyncGenerator<Buffer, undefined> {
      yield whole.subarray(0, at - 512);
      yield header;
      for (; pulled < 8_000; pulled++) yield Buffer.alloc(1024 * 1024, '1');
    }
    const reader = new TarReader(endless());
    await reader.next();
    await expect(reader.next()).rejects.toThrow(TarUnusable);
    expect(pulled).toBeLessThan(2);
  });

  it('is refused when it is cut off, changed, or goes on behind its end', async () => {
    await make('printf abc > file');
    await utimes(join(directory, 'in/file'), 5, 5);
    const tarball = await tarOf();
    const whole = await readFile(tarball);
    await writeFile(tarball, Buffer.concat([whole, Buffer.from('more')]));
    await expect(entriesOf(tarball)).rejects.toThrow(/follows its end/);
    const changed = Buffer.from(whole);
    changed[105] = 0x39;
    await writeFile(tarball, changed);
    await expect(entriesOf(tarball)).rejects.toThrow(TarUnusable);
    await writeFile(tarball, whole);
    await truncate(tarball, 700);
    await expect(entriesOf(tarball)).rejects.toThrow(/cut off/);
  });
});
