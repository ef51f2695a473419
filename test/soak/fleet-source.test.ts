/** Whether the soak of the fleet would see that a snapshot is not what its source was. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readTree, type Found } from './compare.js';
import { FleetSource } from './fleet/fleet-source.js';

let directory: string;
let source: FleetSource;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'busy-soak-source-'));
  source = new FleetSource(join(directory, 'source'), join(directory, 'stage'), 1);
  source.write('a/one', 100);
  source.write('a/two', 100);
});
afterEach(() => rmSync(directory, { recursive: true }));

/** What a copy of now would hold. */
const copy = (): Map<string, Found> => readTree(source.root);

it('takes a copy for right that was made while files changed, came and went', () => {
  const from = performance.now();
  const before = copy();
  source.write('a/one', 100);
  source.remove('a/two');
  source.write('b/three', 100);
  const after = copy();
  const until = performance.now();
  const mixed = new Map([...before, ...after]);
  for (const one of [before, after, mixed]) expect(source.differences(one, from, until)).toEqual([]);
});

it('sees a content of another time', () => {
  const before = copy();
  source.write('a/one', 100);
  const now = performance.now();
  expect(source.differences(before, now, now)).toEqual([
    'a/one has a content that it did not have at that time',
    expect.stringMatching(/^a\/one is of \d+, and was not at that time$/),
  ]);
});

it('sees what is missing, what had gone, and what never was', () => {
  source.remove('a/two');
  const now = performance.now();
  const found = copy();
  const [, file] = [...found].find(([path]) => path === 'a/one') ?? [];
  if (!file) throw new Error('the copy is empty');
  expect(source.differences(new Map(), now, now)).toEqual(['a/one is missing']);
  found.set('a/two', file).set('a/half', { ...file, body: 'x' });
  expect(source.differences(found, now, now)).toEqual([
    'a/half was never there',
    'a/two was not there at that time',
  ]);
});

it('knows a file that was there all the time through all its contents', () => {
  const from = performance.now();
  for (let count = 0; count < 5; count++) source.write('a/one', 10);
  const until = performance.now();
  const found = copy();
  found.delete('a/one');
  expect(source.differences(found, from, until)).toEqual(['a/one is missing']);
});
