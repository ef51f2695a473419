/** The pages of one host with two snapshots: what they show, and that all can use them. */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { seriousFindings } from '../helpers/serious-findings.js';
import { TestBed } from '../helpers/test-bed.js';
import { WebBed } from '../helpers/web-bed.js';

const patience = { timeout: 60_000 };

let bed: TestBed;
let web: WebBed;
let admin: string;
let viewer: string;
let older: string;
let newer: string;
let run: string;

beforeAll(async () => {
  bed = await TestBed.create();
  const sshd = await bed.startSshd();
  for (const name of ['one', 'two']) {
    await mkdir(source(name), { recursive: true });
    await writeFile(source(name, 'file'), 'content');
  }
  const archivedir = join(bed.directory, 'archives');
  await mkdir(archivedir);
  const archiving = { archivedir, archive_schedule: 'never' };
  await bed.configure([bed.hostAt(sshd, { name: 'web1', srcdirs: [source()], ...archiving })]);
  await bed.startDaemon();
  older = (await bed.backUp('web1')).snapshot;
  await writeFile(source('one', 'added'), 'more');
  ({ id: run, snapshot: newer } = await bed.backUp('web1'));
  [admin, viewer] = [await tokenFor('admin'), await tokenFor('viewer')];
  web = await WebBed.create(bed);
});
afterAll(async () => {
  await web.end();
  await bed.end();
});
afterEach(() => expect(web.complaints.splice(0)).toEqual([]));

function source(...names: string[]): string {
  return join(bed.directory, 'source', ...names);
}

async function tokenFor(role: string): Promise<string> {
  const { stdout } = await bed.busy(['--json', 'token', 'create', '--role', role]);
  return (JSON.parse(stdout) as { token: string }).token;
}

async function opened(path: string, token = admin): Promise<Page> {
  const page = await web.openAs(token);
  await page.goto(`${web.url}${path}`);
  return page;
}

function pathQuery(path: string): string {
  return new URLSearchParams({ path }).toString();
}

function directory(name: string): string {
  return `hosts/web1/snapshots/${newer}?${pathQuery(source(name))}`;
}

/** In the dark on a phone, and in the light on a desk. */
async function faultsOf(page: Page): Promise<string[]> {
  const faults: string[] = [];
  for (const [colorScheme, width] of [['dark', 390] as const, ['light', 1200] as const]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    const overflow = await page.evaluate<number>(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    const found = [
      ...(await seriousFindings(page)),
      ...(overflow > 0 ? [`${overflow} pixels too wide`] : []),
    ];
    faults.push(...found.map((fault) => `${colorScheme}: ${fault}`));
  }
  return faults;
}

it('have no serious finding of axe, and fit on a phone, in the dark and in the light', async () => {
  const pages = [
    '',
    'hosts',
    'hosts/web1',
    'hosts/web1/settings',
    'hosts/web1/enroll',
    `hosts/web1/compare?from=${older}&to=${newer}`,
    `hosts/web1/history?${pathQuery(source('one', 'file'))}`,
    `runs/${run}`,
    'new-host',
    'archives',
    'trash',
    'audit',
    'settings',
    directory('one'),
  ];
  const login = await web.open();
  await login.goto(web.url);
  await login.getByLabel('Token').waitFor();
  const found: Record<string, string[]> = { login: await faultsOf(login) };
  await login.context().close();
  const page = await web.openAs(admin);
  for (const path of pages) {
    await page.goto(`${web.url}${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('load');
    await expect.poll(() => page.getByRole('status', { name: 'Loading' }).count(), patience).toBe(0);
    found[path] = await faultsOf(page);
  }
  await page.getByRole('button', { name: 'Restore …' }).click();
  await page.getByLabel('To a directory of a host').check();
  found.restore = await faultsOf(page);
  expect(found).toEqual(Object.fromEntries(['login', ...pages, 'restore'].map((path) => [path, []])));
  await page.context().close();
});

it('name their window, and take the focus to their heading when one goes there', async () => {
  const page = await web.openAs(admin);
  await page.getByRole('link', { name: 'Trash' }).click();
  await page.getByRole('heading', { name: 'Trash' }).waitFor();
  await expect.poll(() => page.title(), patience).toBe('Trash · BUSY');
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Trash');
  await page.getByRole('link', { name: 'Overview' }).click();
  const age = page.getByRole('row', { name: /^web1/ }).locator('time').first();
  expect(await age.textContent()).toMatch(/ago|just now/);
  await page.getByLabel('Exact times').check();
  await expect.poll(() => age.textContent(), patience).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  await page.context().close();
});

it('compare any two snapshots', async () => {
  const page = await opened('hosts/web1');
  await page.getByRole('link', { name: 'Compare two snapshots' }).click();
  await page.getByText(/^1 added \(4 B\)/).waitFor();
  await page.getByRole('rowheader', { name: source('one', 'added') }).waitFor();
  await page.getByLabel('To', { exact: true }).selectOption(older);
  await page.getByText('Nothing differs.').waitFor();
  expect(new URL(page.url()).search).toBe(`?from=${older}&to=${older}`);
  await page.context().close();
});

it('compare again when a comparison broke off', async () => {
  const page = await web.openAs(admin);
  const calls = '**/*.SnapshotService/DiffSnapshots';
  await page.route(calls, (call) => call.abort());
  await page.goto(`${web.url}hosts/web1/compare?from=${older}&to=${newer}`);
  const again = page.getByRole('button', { name: 'Try again' });
  await again.waitFor();
  await page.unroute(calls);
  await again.click();
  await page.getByText(/^1 added \(4 B\)/).waitFor();
  expect(await again.count()).toBe(0);
  await page.context().close();
});

it('show what an archiving did, and move archives to the trash', async () => {
  const word = `web1/${older}`;
  expect(await bed.busy(['archive', word, '--follow'])).toMatchObject({ code: 0 });
  const page = await opened('hosts/web1');
  const runs = page.getByRole('region', { name: 'Runs', exact: true }).last();
  await runs.getByRole('row').filter({ hasText: 'archive' }).getByRole('link').click();
  await page.getByRole('heading', { name: 'What was done' }).waitFor();
  await page.getByRole('definition').filter({ hasText: older }).last().waitFor();
  await page.getByText(/^\d+ entries, \d+ B; .* in the archives$/).waitFor();
  await page.getByRole('link', { name: 'Archives', exact: true }).click();
  await page.getByRole('button', { name: 'Delete …' }).click();
  const remove = page.getByRole('button', { name: 'Move it to the trash' });
  expect(await remove.getAttribute('title')).toBe(`Type ${word} first.`);
  await page.getByLabel('to confirm').fill(word);
  await remove.click();
  await page.getByText(`${word} is in the trash.`).waitFor();
  await page.getByText('There are no archives.').waitFor();
  await page.getByRole('link', { name: 'Trash' }).click();
  await page.getByRole('button', { name: 'Put back' }).click();
  await page.getByText('The trash is empty.').waitFor();
  await page.context().close();
});

it('restore what was chosen in several directories, and say what that is', async () => {
  const page = await opened(directory('one'));
  await page.getByLabel('Choose added').check();
  await page.getByRole('navigation', { name: 'Directory' }).getByRole('link', { name: 'source' }).click();
  await page.getByRole('table').getByRole('link', { name: 'two/' }).click();
  await page.getByLabel('Choose file').check();
  await page.getByRole('button', { name: 'Restore …' }).click();
  const paths = page.getByRole('list', { name: 'Chosen paths' }).getByRole('listitem');
  expect(await paths.allTextContents()).toEqual([source('one', 'added'), source('two', 'file')]);
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Clear the choice' }).click();
  await page.getByRole('link', { name: 'Download this directory' }).waitFor();
  await page.context().close();
});

it('link no file for those who may not have it, and say why', async () => {
  const page = await opened(directory('one'), viewer);
  const row = page.getByRole('row', { name: /Choose added/ });
  await row.getByTitle('This needs the role admin; you are viewer.').waitFor();
  expect(await row.getByRole('link', { name: 'added' }).count()).toBe(0);
  await page.context().close();
});

it('hear of runs that begin elsewhere, and show what a verification and a drill have found', async () => {
  const page = await opened('hosts/web1');
  await page.getByRole('region', { name: 'Runs', exact: true }).last().getByRole('link').first().waitFor();
  const { id } = await bed.trigger('web1');
  const row = page.getByRole('row').filter({ has: page.locator(`a[href$="/runs/${id}"]`) });
  await expect.poll(() => row.textContent(), patience).toContain('succeeded');
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByRole('heading', { name: 'What was found' }).waitFor();
  await page.getByText('Nothing differs.').waitFor();
  await page.getByText('0 files', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'web1', exact: true }).click();
  await page.getByRole('button', { name: 'Try a restore' }).click();
  await page.getByRole('heading', { name: 'web1 · drill' }).waitFor();
  await page.getByText('Nothing differs.').waitFor();
  await page.getByText('of them 3 files (18 B)', { exact: false }).waitFor();
  await page.context().close();
});

it('follow the end of a log until its reader scrolls up, and again when he is back at the end', async () => {
  const lines = Array.from({ length: 500 }, (_, number) => `line ${number} of a long log\n`);
  await appendFile(join(bed.directory, 'state/run-logs', `${run}.log`), lines.join(''));
  const page = await opened(`runs/${run}`);
  const log = page.getByLabel('Lines of the log');
  const follows = page.getByLabel('Show the end');
  await log.getByText('line 499 of a long log').waitFor();
  expect(await follows.isChecked()).toBe(true);
  await expect
    .poll(() => log.evaluate((box) => (box as unknown as { scrollTop: number }).scrollTop), patience)
    .toBeGreaterThan(0);
  await log.hover();
  await page.mouse.wheel(0, -300);
  await expect.poll(() => follows.isChecked(), patience).toBe(false);
  await page.mouse.wheel(0, 5000);
  await expect.poll(() => follows.isChecked(), patience).toBe(true);
  await page.context().close();
});
