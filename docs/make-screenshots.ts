/**
 * `npm run screenshots [-- --all DIRECTORY]`: pictures of the web page, of a real daemon with real backups. The three
 * that the README shows go to docs/pictures; with --all every page goes to the directory, light, dark and as on a phone.
 * Needs chromium, sshd and rsync.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { WebBed } from '../test/helpers/web-bed.js';
import { createPictureBed, type PictureBed } from './picture-bed.js';
import { shrinkPng } from './png.js';

interface Shot {
  readonly name: string;
  /** Below the address of the page. */
  readonly path: string;
  /** What has to be there before the picture is taken. */
  readonly ready: string;
  /** What is done on the page first. */
  readonly prepare?: (page: Page) => Promise<void>;
}

const looks: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: 'light', viewport: { width: 1200, height: 860 } },
  dark: { colorScheme: 'dark', viewport: { width: 1200, height: 860 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 } },
};

/** Shown in the README: the name and the look. */
const shown: readonly (readonly [name: string, look: string])[] = [
  ['overview', 'light'],
  ['host', 'dark'],
  ['snapshot', 'light'],
];

const pictures = new URL('pictures/', import.meta.url).pathname;
const { values } = parseArgs({ options: { all: { type: 'string' } } });
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const picture = await createPictureBed(say);
try {
  await takeAll(picture);
} finally {
  await picture.end();
}

async function takeAll({ bed, slowHost }: PictureBed): Promise<void> {
  const web = await WebBed.create(bed);
  try {
    const { stdout } = await bed.busy(['--json', 'token', 'create', '--role', 'admin', 'anna']);
    const { token } = JSON.parse(stdout) as { token: string };
    const { id } = await bed.trigger(slowHost);
    await bed.waitForRun(id, (run) => (run.progress?.percent ?? 0) > 20);
    const web1 = (await bed.lastRun('web1')).snapshot;
    for (const [look, options] of Object.entries(looks)) {
      const page = await web.openAs(token, options);
      for (const shot of shotsOf(id, web1)) {
        const isShown = shown.some(([name, itsLook]) => name === shot.name && itsLook === look);
        if (!isShown && values.all === undefined) continue;
        say(`${shot.name}, ${look}`);
        const png = await take(web, page, shot);
        if (isShown) await write(pictures, `${shot.name}.png`, png);
        if (values.all !== undefined) await write(values.all, `${shot.name}-${look}.png`, png);
      }
      await page.context().close();
    }
  } finally {
    await web.end();
  }
}

async function take(web: WebBed, page: Page, { path, ready, prepare }: Shot): Promise<Buffer> {
  await page.goto(`${web.url}${path}`);
  await page.getByText(ready, { exact: false }).first().waitFor();
  await prepare?.(page);
  await page.waitForLoadState('networkidle', { timeout: 3000 }).catch(() => undefined);
  return shrinkPng(await page.screenshot());
}

function shotsOf(runId: string, snapshot: string): readonly Shot[] {
  const folder = encodeURIComponent('/tmp/busy-pictures/web1/srv/shop');
  const file = encodeURIComponent('/tmp/busy-pictures/web1/etc/hosts');
  return [
    { name: 'overview', path: '', ready: 'laptop-anna' },
    { name: 'host', path: 'hosts/web1', ready: 'Changed files' },
    { name: 'host-held', path: 'hosts/files', ready: 'is held' },
    { name: 'run', path: `runs/${runId}`, ready: 'job 1 of 1' },
    { name: 'snapshot', path: `hosts/web1/snapshots/${snapshot}?path=${folder}`, ready: 'catalogue.json' },
    {
      name: 'restore',
      path: `hosts/web1/snapshots/${snapshot}?path=${folder}`,
      ready: 'catalogue.json',
      prepare: async (page) => {
        await page.getByRole('button', { name: 'Restore …' }).click();
        await page.getByLabel('Replace what differs', { exact: true }).check();
        await page.getByRole('button', { name: 'Show what would change' }).click();
        await page.getByText('It would make').waitFor();
      },
    },
    { name: 'history', path: `hosts/web1/history?path=${file}`, ready: 'hosts' },
    {
      name: 'compare',
      path: `hosts/web1/snapshots/${snapshot}`,
      ready: 'Compare with the one before',
      prepare: async (page) => {
        await page.getByRole('link', { name: 'Compare with the one before' }).click();
        await page.getByText('web1-014').first().waitFor();
      },
    },
    { name: 'hosts', path: 'hosts', ready: 'What is backed up' },
    { name: 'host-settings', path: 'hosts/web1/settings', ready: 'What is backed up' },
    {
      name: 'enroll',
      path: 'hosts/web1/enroll',
      ready: 'The key of the host',
      prepare: async (page) => {
        await page.getByRole('button', { name: 'Ask for its key' }).click();
        await page.getByText('It is the pinned key').waitFor();
        await page.getByRole('button', { name: 'Test the host' }).click();
        await page.getByRole('list', { name: 'Results' }).waitFor();
      },
    },
    { name: 'archives', path: 'archives', ready: 'db1' },
    { name: 'trash', path: 'trash', ready: 'Put back' },
    { name: 'audit', path: 'audit', ready: 'TriggerBackup' },
    { name: 'settings', path: 'settings', ready: 'Test mail' },
  ];
}

async function write(directory: string, name: string, png: Buffer): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, name), png);
  say(`${join(directory, name)}: ${Math.round(png.length / 1024)} KiB`);
}
