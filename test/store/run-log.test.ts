import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunLogs } from '../../src/core/ports.js';
import { openRunLogs } from '../../src/store/run-log.js';

const id = '01JDABCDEFGHJKMNPQRSTVWXYZ';
const now = new Date('2026-11-22T20:00:05.123Z');

let directory: string;
let logs: RunLogs;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'busy-log-'));
  logs = await openRunLogs(directory, { now: () => now });
});
afterEach(() => rm(directory, { recursive: true }));

async function readAll(isFinal: boolean): Promise<string[]> {
  const lines: string[] = [];
  for (let offset = 0; ;) {
    const chunk = await logs.read(id, offset, isFinal);
    if (chunk.lines.length === 0) return lines;
    lines.push(...chunk.lines);
    offset = chunk.nextOffset;
  }
}

describe('append', () => {
  it('writes one line with its time', async () => {
    await logs.append(id, 'Backup of web1 starts.');
    await logs.append(id, 'zoë 😀');
    expect(await readAll(false)).toEqual([
      '2026-11-22T20:00:05.123Z Backup of web1 starts.',
      '2026-11-22T20:00:05.123Z zoë 😀',
    ]);
  });

  it('escapes line breaks and control characters', async () => {
    await logs.append(id, 'a\nb\r\tc\u001b[31mred\u009b2J\u0000\u007f');
    expect(await readFile(logs.path(id), 'utf8')).toBe(
      '2026-11-22T20:00:05.123Z a\\nb\\r\\tc\\x1b[31mred\\x9b2J\\x00\\x7f\n',
    );
  });

  it('keeps parallel lines whole', async () => {
    const texts = Array.from({ length: 50 }, (_, index) => `${index} ${'x'.repeat(9_000)}`);
    await Promise.all(texts.map((text) => logs.append(id, text)));
    const lines = (await readAll(false)).map((line) => line.slice(line.indexOf(' ') + 1));
    expect(lines.sort()).toEqual(texts.sort());
  });

  it('cuts an endless line between two characters', async () => {
    await logs.append(id, `x${'😀'.repeat(20_000)}`);
    const line = await readFile(logs.path(id), 'utf8');
    expect(line).toMatch(/^\S+ x(😀){4999} \[cut\]\n$/u);
  });
});

describe('read', () => {
  it('answers lines from an offset on, and where the next begins', async () => {
    await writeFile(logs.path(id), 'één\ntwo\nthree\n');
    expect(await logs.read(id, 0, false)).toEqual({ lines: ['één', 'two', 'three'], nextOffset: 16 });
    expect(await logs.read(id, 6, false)).toEqual({ lines: ['two', 'three'], nextOffset: 16 });
    expect(await logs.read(id, 16, true)).toEqual({ lines: [], nextOffset: 16 });
  });

  it('keeps a last line without end back until the run has ended', async () => {
    await writeFile(logs.path(id), 'one\ntw');
    expect(await logs.read(id, 0, false)).toEqual({ lines: ['one'], nextOffset: 4 });
    expect(await logs.read(id, 4, false)).toEqual({ lines: [], nextOffset: 4 });
    expect(await logs.read(id, 4, true)).toEqual({ lines: ['tw'], nextOffset: 6 });
    await appendFile(logs.path(id), 'o\n');
    expect(await logs.read(id, 4, false)).toEqual({ lines: ['two'], nextOffset: 8 });
  });

  it('keeps empty lines', async () => {
    await writeFile(logs.path(id), '\n\nx\n\n');
    expect(await logs.read(id, 0, false)).toEqual({ lines: ['', '', 'x', ''], nextOffset: 5 });
  });

  it('answers a long log in pieces of at most 64 KiB, each line once', async () => {
    const lines = Array.from({ length: 2000 }, (_, index) => `${index} ${'ä'.repeat(index % 16_000)}`);
    await writeFile(logs.path(id), `${lines.join('\n')}\nlast`);
    const first = await logs.read(id, 0, true);
    expect(first.nextOffset).toBeLessThanOrEqual(64 * 1024);
    expect(await readAll(true)).toEqual([...lines, 'last']);
  });

  it('does not stop at a line that is longer than a piece', async () => {
    await writeFile(logs.path(id), `${'😀'.repeat(50_001)}\nx\n`);
    const lines = await readAll(false);
    expect(lines.at(-1)).toBe('x');
    expect(lines.slice(0, -1).join('')).toBe('😀'.repeat(50_001));
  });

  it('gives bytes that are not UTF-8 as replacement characters', async () => {
    await writeFile(logs.path(id), Buffer.from([0x61, 0xff, 0x80, 0x0a]));
    expect(await readAll(false)).toEqual(['a\ufffd\ufffd']);
  });

  it('takes a missing file for an empty log', async () => {
    expect(await logs.read(id, 0, true)).toEqual({ lines: [], nextOffset: 0 });
    await expect(logs.read(id, 1, false)).rejects.toMatchObject({ reason: 'OFFSET_OUT_OF_RANGE' });
  });

  it('refuses an offset beyond the end', async () => {
    await writeFile(logs.path(id), 'one\n');
    await expect(logs.read(id, 5, false)).rejects.toMatchObject({
      reason: 'OFFSET_OUT_OF_RANGE',
      facts: { run: id, size: '4', offset: '5' },
    });
  });
});

describe('the id', () => {
  it.each(['', '../../etc/passwd', `${id}/x`, id.toLowerCase(), `${id}\n`, id.replace('A', 'U')])(
    '%j never becomes a path',
    async (bad) => {
      expect(() => logs.path(bad)).toThrow(/There is no run/);
      await expect(logs.append(bad, 'x')).rejects.toMatchObject({ reason: 'RUN_NOT_FOUND' });
      await expect(logs.read(bad, 0, true)).rejects.toMatchObject({ reason: 'RUN_NOT_FOUND' });
    },
  );
});

describe('the logs that are there', () => {
  it('are named by their runs, and can be removed', async () => {
    expect(await logs.ids()).toEqual([]);
    const other = `${id.slice(0, -1)}X`;
    for (const run of [id, other]) await logs.append(run, 'a line');
    await writeFile(path.join(directory, 'run-logs/notes.log'), 'of someone else');
    expect((await logs.ids()).sort()).toEqual([other, id].sort());
    await logs.remove(id);
    await logs.remove(id);
    expect(await logs.ids()).toEqual([other]);
    expect(await readAll(true)).toEqual([]);
  });
});
