/** The faults that backup programs are known for; each is kept away by at least one test that names its number. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const faults = [
  'failed runs push the good snapshots out',
  'a missed run, or a link base that is gone, silently makes the next backup a full copy',
  'a reboot leaves half a snapshot that looks whole',
  'an unmounted source is saved as an empty one',
  'expiry never frees a full disk, since the run fails first',
  'files that vanish make a good backup an error, or hide what is missing',
  'a mass change of owners breaks all links and doubles the use of the disk',
  'hard links of the source are lost',
  'a slow host delays all others',
  'cancelled runs leave processes, locks or running rows',
  'host-key checking can be switched off',
  'a mail every night for an old event, or none at all',
  'two jobs at once on one host',
  'a catch-up that runs twice',
  'half-deleted snapshots after a crash in expiry',
];

const tests = readdirSync(new URL('../', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts') && !file.endsWith('fifteen.test.ts'))
  .map((file) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'))
  .join('\n');

test.each(faults.map((fault, index) => [index + 1, fault] as const))('fault %i has a test: %s', (number) => {
  expect(tests).toMatch(new RegExp(`['"\`, ]fault ${number}[:,]`));
});
