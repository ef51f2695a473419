import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { takeInBatches } from '../../src/execute/output-batch.js';

test('hands on every byte, in order, in fewer pieces, and before the stream closes', async () => {
  const stream = new PassThrough();
  const taken: string[] = [];
  takeInBatches(stream, (bytes) => void taken.push(bytes.toString()));
  const lines = Array.from({ length: 1000 }, (_, number) => `>f+++++++++ file-${number}\n`);
  for (const line of lines) stream.write(line);
  stream.end();
  await once(stream, 'close');
  expect(taken.join('')).toBe(lines.join(''));
  expect(taken.length).toBeLessThan(lines.length);
});

test('does not wait for the end of a stream that goes on', async () => {
  const stream = new PassThrough();
  const first = new Promise<string>((resolve) => {
    takeInBatches(stream, (bytes) => resolve(bytes.toString()));
  });
  stream.write('progress');
  expect(await first).toBe('progress');
  stream.destroy();
});

test('holds back a bounded amount only', () => {
  const stream = new PassThrough();
  const taken: number[] = [];
  takeInBatches(stream, (bytes) => void taken.push(bytes.length));
  const piece = Buffer.alloc(64 * 1024);
  for (let written = 0; written < 8; written++) stream.emit('data', piece);
  expect(taken).toEqual([4 * piece.length, 4 * piece.length]);
  stream.destroy();
});

test('hands on what waits when it is asked to', () => {
  const stream = new PassThrough();
  const taken: string[] = [];
  const flush = takeInBatches(stream, (bytes) => void taken.push(bytes.toString()));
  stream.emit('data', Buffer.from('statistics'));
  flush();
  flush();
  expect(taken).toEqual(['statistics']);
  stream.destroy();
});

test('what was taken before a stream is cut off is not lost', async () => {
  const stream = new PassThrough();
  const taken: string[] = [];
  takeInBatches(stream, (bytes) => void taken.push(bytes.toString()));
  stream.emit('data', Buffer.from('last words'));
  stream.destroy();
  await once(stream, 'close');
  expect(taken).toEqual(['last words']);
});
