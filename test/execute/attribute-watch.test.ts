import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AttributeWatch, type WatchedJob } from '../../src/execute/attribute-watch.js';
import { Flow } from '../../src/execute/flow.js';
import { LinkCounter } from '../../src/execute/link-counter.js';

const name = 'file';
let directory: string;
let said: string[];
let watch: AttributeWatch;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-watch-'));
  for (const place of ['now', 'base']) await mkdir(join(directory, place));
  said = [];
  const links = new LinkCounter();
  links.take({ kind: 'item', change: '>f..t......', size: 200e6, path: name });
  const job = {
    // No host can be reached, so what shows is that it would have been asked.
    host: { name: 'web1', initiator: 'server', gate: { maxChange: 0.5 } },
    plan: {
      source: '/source',
      destination: join(directory, 'now'),
      snapshotBases: [join(directory, 'base')],
    },
    links,
    bytesBefore: 200e6,
    scratch: join(directory, 'scratch'),
    flow: new Flow(),
    onTraffic: () => {},
    say: (text: string) => said.push(text),
  };
  watch = new AttributeWatch(job as unknown as WatchedJob);
});
afterEach(() => rm(directory, { recursive: true }));

const hasAsked = (): boolean => said.some((text) => text.includes('comparing all of it'));

it('compares all of the source when samples are there and cannot be read', async () => {
  await writeFile(join(directory, 'now', name), 'content');
  // As good as one that may not be read, also for root.
  await mkdir(join(directory, 'base', name));
  watch.look();
  await expect.poll(hasAsked, { timeout: 20_000 }).toBe(true);
  expect(await watch.end()).toBeNull();
});

it('waits for samples that are on the way, since a disk image may have other contents', async () => {
  await writeFile(join(directory, 'base', name), 'content');
  watch.look();
  // It has looked more than once by then.
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(said).toEqual([]);
  await writeFile(join(directory, 'now', name), 'CONTENT');
  await expect.poll(() => said, { timeout: 20_000 }).toHaveLength(1);
  expect(said[0]).toContain('1 of 1 files of the same size have other contents');
  expect(await watch.end()).toBeNull();
});
