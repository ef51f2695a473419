import { EventEmitter, once } from 'node:events';
import { readdirSync, readlinkSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { startProcess } from '../../src/execute/process.js';
import { ReportPipe } from '../../src/execute/report-pipe.js';

const never = new AbortController().signal;
const noop = (): void => {};

test('hands on every byte that a program writes, in order, also what is left when it has ended', async () => {
  let heard = '';
  const pipe = await ReportPipe.open((bytes) => void (heard += bytes.toString()));
  const seq = startProcess('seq', ['100000'], never, pipe.writer);
  pipe.letGo();
  expect(await seq.ended).toEqual({ code: 0, signal: null });
  await pipe.end();
  const numbers = heard.trimEnd().split('\n').map(Number);
  expect(numbers).toEqual(Array.from({ length: 100_000 }, (_, index) => index + 1));
});

test('takes many crumbs at once, and nothing while the taker is behind', async () => {
  const heard: string[] = [];
  const taken = new EventEmitter();
  let goOn: () => void = noop;
  const pipe = await ReportPipe.open((bytes) => {
    heard.push(bytes.toString());
    taken.emit('more');
    return new Promise((resolve) => (goOn = resolve));
  });
  const next = (): Promise<unknown> => once(taken, 'more');
  const first = next();
  for (const crumb of 'abc') writeSync(pipe.writer, crumb);
  await first;
  expect(heard).toEqual(['abc']);
  writeSync(pipe.writer, 'def');
  const other = await ReportPipe.open(() => void taken.emit('of another'));
  for (let looks = 0; looks < 5; looks++) {
    const look = once(taken, 'of another');
    writeSync(other.writer, 'x');
    await look;
  }
  await other.end();
  writeSync(pipe.writer, 'ghi');
  expect(heard).toEqual(['abc']);
  const second = next();
  goOn();
  await second;
  expect(heard).toEqual(['abc', 'defghi']);
  writeSync(pipe.writer, 'the rest');
  const rest = next();
  const ended = pipe.end();
  goOn();
  await rest;
  goOn();
  await ended;
  expect(heard).toEqual(['abc', 'defghi', 'the rest']);
});

test('who still has the other end does not keep the pipe', async () => {
  let heard = '';
  const pipe = await ReportPipe.open((bytes) => void (heard += bytes.toString()));
  const stop = new AbortController();
  const left = startProcess('sleep', ['600'], stop.signal, pipe.writer);
  writeSync(pipe.writer, 'last words');
  await pipe.end();
  expect(heard).toBe('last words');
  stop.abort();
  await left.ended;
});

test('leaves no descriptor open', async () => {
  const before = pipesOpen();
  const pipe = await ReportPipe.open(noop);
  expect(pipesOpen()).toBe(before + 2);
  const gone = startProcess('/no/such/program', [], never, pipe.writer);
  await expect(gone.ended).rejects.toMatchObject({ code: 'ENOENT' });
  await pipe.end();
  expect(pipesOpen()).toBe(before);
});

function pipesOpen(): number {
  return readdirSync('/proc/self/fd').filter((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).includes('busy-report-');
    } catch {
      return false;
    }
  }).length;
}
