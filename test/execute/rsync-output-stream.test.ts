/** Bytes in pieces of any length, and the whole output of a real rsync. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startProcess } from '../../src/execute/process.js';
import { pullArguments } from '../../src/execute/rsync-args.js';
import { LineSplitter, parseRsyncLine, type RsyncEvent } from '../../src/execute/rsync-output.js';
import { sampleHost } from '../helpers/sample-host.js';

/** Events for bytes that arrive in pieces of this length. */
function hear(bytes: Buffer, pieceLength: number): RsyncEvent[] {
  const splitter = new LineSplitter();
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += pieceLength)
    lines.push(...splitter.feed(bytes.subarray(at, at + pieceLength)));
  return [...lines, ...splitter.end()].flatMap(parseRsyncLine);
}

describe('LineSplitter', () => {
  const said = Buffer.from(
    '\r              1   0%    0.00kB/s    0:00:00  \r              1   0%    0.00kB/s    0:00:00 (xfr#1, ir-chk=16/18)\n' +
      '>f+++++++++ zo\\#303\\#253\n\nfile has vanished: "/v/1"\r\nlatin-\xe9\nTotal bytes sent: 845\nno end',
    'latin1',
  );

  it('answers the same however the bytes are cut', () => {
    const whole = hear(said, said.length);
    expect(whole).toHaveLength(8);
    for (const length of [1, 2, 3, 7, 64]) expect(hear(said, length)).toEqual(whole);
  });

  it('cuts an endless line, and goes on after it', () => {
    const splitter = new LineSplitter();
    for (let piece = 0; piece < 100; piece++) expect(splitter.feed(Buffer.alloc(10_000, 'x'))).toEqual([]);
    const [line, next] = splitter.feed(Buffer.from('\nnext\n'));
    expect(line).toHaveLength(32 * 1024);
    expect(next).toBe('next');
    expect(splitter.feed(Buffer.from(`${'y'.repeat(100_000)}\n`))[0]).toHaveLength(32 * 1024);
    expect(splitter.end()).toEqual([]);
  });
});

describe('a real rsync', () => {
  it('is understood in every line, over names and errors of all kinds', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'busy-output-'));
    const [source, destination] = [join(directory, 'from'), join(directory, 'to')];
    // Another user makes the destination: so its attributes can be set.
    await chmod(directory, 0o777);
    const closed = ['secret', 'se"cret": x', 'se\ncret', '": No such file or directory (2)'];
    const names = [
      'plain',
      'new\nline',
      '"quote"',
      'tab\tx',
      'back\\#101slash',
      'zoë 😀',
      'end: Permission denied (13)',
    ];
    await mkdir(source);
    for (const name of names) await writeFile(join(source, name), name, { mode: 0o644 });
    for (const name of closed) await writeFile(join(source, name), name, { mode: 0o000 });
    await writeFile(Buffer.concat([Buffer.from(`${source}/latin`), Buffer.of(0xe9)]), '', { mode: 0o644 });
    const lists = { linkBases: [], snapshotBases: [], leftOut: [] };
    const plan = { source, destination, ...lists, mustCompareContents: false, isComparison: false };
    const options = pullArguments(sampleHost({ rsyncOpts: ['-rlt'] }), plan);
    const local = [
      ...options.slice(0, options.indexOf('--blocking-io')),
      '--',
      `${source}/`,
      `${destination}/`,
    ];
    // The superuser may read everything.
    const command =
      process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--clear-groups', 'rsync'] : ['rsync'];
    const [program = '', ...words] = [...command, ...local];
    const rsync = startProcess(program, words, new AbortController().signal);
    const chunks: [Buffer[], Buffer[]] = [[], []];
    rsync.stdin.end();
    rsync.stdout.on('data', (bytes: Buffer) => chunks[0].push(bytes));
    rsync.stderr.on('data', (bytes: Buffer) => chunks[1].push(bytes));
    expect(await rsync.ended).toEqual({ code: 23, signal: null });
    await rm(directory, { recursive: true });

    const events = chunks.map((parts) => hear(Buffer.concat(parts), 1));
    const denied = events[1]?.flatMap((event) => (event.kind === 'fileError' ? [event.error] : []));
    const found = denied?.map(({ path, why, side }) => `${side}: ${path}: ${why}`);
    const expected = closed.map(
      (name) => `sender: ${source}/${name.replace('\n', '\\#012')}: Permission denied (13)`,
    );
    expect(found?.sort()).toEqual(expected.sort());
    expect(events[1]?.filter(({ kind }) => kind !== 'fileError')).toMatchObject([
      { kind: 'ending', code: 23 },
    ]);
    const paths = events[0]?.flatMap((event) => (event.kind === 'item' ? [event.path] : []));
    const shown = [
      'new\\#012line',
      'tab\\#011x',
      'back\\#134#101slash',
      'zoë 😀',
      'end: Permission denied (13)',
      'latin\\#351',
    ];
    expect(paths).toEqual(expect.arrayContaining([...shown, '"quote"', 'plain']));
    const rest = events[0]?.flatMap((event) => (event.kind === 'message' ? [event.line] : []));
    expect(
      rest?.filter(
        (line) =>
          !/^(created directory|Literal|Matched|File list|Number of deleted|sent|total size)/.test(line),
      ),
    ).toEqual([]);
  });
});
