/**
 * The words and the commands against what reads them: the shells of hosts, rrsync, and rsync itself. Both roles are
 * joined here by plain pipes, in the place of an SSH connection.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Host } from '../../src/core/host.js';
import { startProcess } from '../../src/execute/process.js';
import {
  pullArguments,
  pullCommand,
  pushCommand,
  receiveArguments,
  type TransferPlan,
} from '../../src/execute/rsync-args.js';
import { sampleHost } from '../helpers/sample-host.js';

const strangeNames = [
  'plain',
  'two words',
  '  edges  ',
  `single'quote`,
  'double"quote',
  '$HOME $(id) ${x} `id`',
  'back\\slash \\n \\\\',
  '*',
  'a?[b-c]{d,e}',
  '#hash ~tilde !bang',
  ';&|<>()',
  '%s %n',
  'zoë 日本 😀',
  'no\u00a0break \u2003em \u3000wide',
  '-rf',
  '~',
] as const;

const never = new AbortController().signal;
let directory: string;
let from: string;
let to: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-args-'));
  from = join(directory, 'from');
  to = join(directory, 'to');
  await mkdir(to);
});
afterEach(() => rm(directory, { recursive: true }));

function planFor(source: string, changes: Partial<TransferPlan> = {}): TransferPlan {
  return {
    source,
    destination: to,
    linkBases: [],
    leftOut: [],
    snapshotBases: [],
    isComparison: false,
    mustCompareContents: false,
    ...changes,
  };
}

async function makeSource(name: string): Promise<string> {
  const source = join(from, name);
  await mkdir(source, { recursive: true });
  await writeFile(join(source, 'file'), name);
  return source;
}

/** The words that a connector asks for; what follows them is put back. */
async function requestFrom(stream: Readable): Promise<string[]> {
  let bytes = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk]);
    const words = bytes.toString('utf8').split('\0');
    const count = Number(words[0]);
    if (words.length <= count + 1) continue;
    const asked = words.slice(1, count + 1);
    const rest = bytes.subarray(Buffer.byteLength(`${[count, ...asked].join('\0')}\0`));
    if (rest.length > 0) stream.unshift(rest);
    return asked;
  }
  throw new Error(`the connector asked for nothing: ${bytes.toString()}`);
}

/** What rsync on the host would be given by `runner`: a shell, or rrsync with the command in its environment. */
async function pull(
  host: Host,
  plan: TransferPlan,
  runner: (command: string) => readonly string[],
): Promise<string> {
  const local = startProcess('rsync', pullArguments(host, plan), never);
  let said = '';
  local.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  local.stdout.resume();
  local.stdin.end();
  const command = pullCommand(host, plan, await requestFrom(local.fromProcess));
  const [program = '', ...args] = runner(command);
  const remote = startProcess(program, args, never);
  remote.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  remote.stdout.pipe(local.toProcess);
  local.fromProcess.pipe(remote.stdin);
  const { code } = await local.ended;
  await remote.ended;
  return code === 0 ? '' : `code ${code}: ${said}`;
}

async function push(host: Host, plan: TransferPlan, shell: string): Promise<string> {
  const remote = startProcess(shell, ['-c', pushCommand(host, plan)], never);
  let said = '';
  remote.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const args = receiveArguments(host, plan, await requestFrom(remote.stdout));
  const local = startProcess('rsync', args, never);
  local.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  remote.stdout.pipe(local.stdin);
  local.stdout.pipe(remote.stdin);
  await local.ended;
  const { code } = await remote.ended;
  return code === 0 ? '' : `code ${code}: ${said}`;
}

const viaShell = (command: string): readonly string[] => ['/bin/sh', '-c', command];

const viaRrsync = (command: string): readonly string[] => [
  'env',
  `SSH_ORIGINAL_COMMAND=${command}`,
  'rrsync',
  '-ro',
  from,
];

describe('a pull', () => {
  it.each(strangeNames)('finds the source %j through a shell', async (name) => {
    await makeSource('decoy');
    const source = await makeSource(name);
    expect(await pull(sampleHost(), planFor(source), viaShell)).toBe('');
    expect(await readFile(join(to, 'file'), 'utf8')).toBe(name);
  });

  it.each(strangeNames)('finds the source %j through a key that rrsync limits', async (name) => {
    await makeSource(name);
    expect(await pull(sampleHost(), planFor(`/${name}`), viaRrsync)).toBe('');
    expect(await readFile(join(to, 'file'), 'utf8')).toBe(name);
  });

  it('leaves out nested sources and patterns, taken literally', async () => {
    const source = await makeSource('data');
    for (const nested of ['a[b]*?\\c', 'ab', 'd e']) {
      await mkdir(join(source, nested));
      await writeFile(join(source, nested, 'inner'), '');
    }
    await writeFile(join(source, `it's "x".tmp`), '');
    const host = sampleHost({ excludes: [`it's "x".*`] });
    const leftOut = ['a[b]*?\\c', 'd e'].map((name) => join(source, name));
    expect(await pull(host, planFor(source, { leftOut }), viaShell)).toBe('');
    expect((await readdir(to, { recursive: true })).sort()).toEqual([
      'a[b]*?\\c',
      'ab',
      'ab/inner',
      'd e',
      'file',
    ]);
  });
});

describe('a push', () => {
  it('may look at the uppermost level alone, and then writes nothing', async () => {
    const source = await makeSource('data');
    const plan = planFor(source, { isComparison: true, isShallow: true });
    expect(await push(sampleHost(), plan, '/bin/sh')).toBe('');
    expect(await readdir(to)).toEqual([]);
  });

  it.each(strangeNames)('finds the source %j', async (name) => {
    const source = await makeSource(name);
    expect(await push(sampleHost(), planFor(source), '/bin/sh')).toBe('');
    expect(await readFile(join(to, 'file'), 'utf8')).toBe(name);
  });

  it.each(['/bin/sh', 'bash'])('gives each word to rsync as it is, through %s', async (shell) => {
    const show = join(directory, 'show words');
    await writeFile(show, '#!/bin/sh\nprintf "%s\\0" "$LC_ALL" "$@"\n', { mode: 0o755 });
    const excludes = [...strangeNames, '', 'line\nbreak', 'tab\t', "''", "'\\''"];
    const host = sampleHost({ rsyncPath: [show], excludes, rsyncOpts: ['-a', "--info=x'y z"] });
    const command = pushCommand(host, planFor('/a b'));
    const child = spawn(shell, ['-c', command], {
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for await (const bytes of child.stderr as AsyncIterable<Buffer>) text += bytes.toString('utf8');
    const [locale, ...words] = text.split('\0').slice(0, -1);
    expect(locale).toBe('C');
    expect(words.slice(0, 2)).toEqual(host.rsyncOpts);
    expect(words.filter((word) => word.startsWith('--exclude='))).toEqual(
      excludes.map((name) => `--exclude=${name}`),
    );
    expect(words.slice(-3)).toEqual(['--', '/a b/', 'busy:snapshot/']);
  });

  it('uses our link bases and writes into our destination only', async () => {
    const source = await makeSource('data');
    const base = join(directory, 'base');
    await mkdir(base);
    expect(await push(sampleHost(), planFor(source, { destination: base }), '/bin/sh')).toBe('');
    expect(await push(sampleHost(), planFor(source, { linkBases: [base] }), '/bin/sh')).toBe('');
    expect((await readdir(directory)).sort()).toEqual(['base', 'from', 'to']);
    expect((await stat(join(to, 'file'))).ino).toBe((await stat(join(base, 'file'))).ino);
  });
});
