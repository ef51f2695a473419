/** The page in a real browser, against a real daemon with real backups. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parsePrometheusText, valueOf } from '../helpers/prometheus-text.js';
import { TestBed } from '../helpers/test-bed.js';
import { WebBed } from '../helpers/web-bed.js';

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
/** Names that would do something in a page, a terminal or a path. */
const oddName = `<img src=x onerror="document.title='hacked'">\u202etxt\u001b[31m`;

/** The daemon starts, the page tries again, a machine is busy: what waits for a condition waits long. */
const patience = { timeout: 60_000 };

let bed: TestBed;
let web: WebBed;
let admin: string;
let viewer: string;

beforeAll(async () => {
  bed = await TestBed.create();
  const sshd = await bed.startSshd();
  const source = join(bed.directory, 'source');
  await mkdir(join(source, 'folder'), { recursive: true });
  await writeFile(join(source, 'folder/file.bin'), Buffer.from([0, 255, 1, 254, 10, 13]));
  await writeFile(join(source, oddName.replaceAll('/', '')), 'odd');
  const slow = join(bed.directory, 'slow');
  await mkdir(slow);
  await writeFile(join(slow, 'large'), Buffer.alloc(30_000_000, 7));
  await bed.configure([
    bed.hostAt(sshd, { name: 'web1', srcdirs: [source] }),
    bed.hostAt(sshd, { name: 'slow', srcdirs: [slow], bandwidth_limit: 300 }),
    bed.hostAt(sshd, { name: 'broken', srcdirs: [join(bed.directory, 'not-there')] }),
  ]);
  await bed.startDaemon();
  await bed.backUp('web1');
  await bed.backUp('broken');
  admin = await tokenFor('admin');
  viewer = await tokenFor('viewer');
  web = await WebBed.create(bed);
});
afterAll(async () => {
  await web.end();
  await bed.end();
});
// A script that failed, or something that the content policy forbade, is a fault wherever it comes up.
afterEach(() => expect(web.complaints.splice(0)).toEqual([]));

async function tokenFor(role: string): Promise<string> {
  const { stdout } = await bed.busy(['--json', 'token', 'create', '--role', role]);
  return (JSON.parse(stdout) as { token: string }).token;
}

/** Lists the hosts as a page would. */
function call(headers: Record<string, string>): Promise<Response> {
  return fetch(`${web.url}api/busy.v1.HostService/ListHosts`, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json', 'connect-protocol-version': '1', ...headers },
  });
}

async function seriousFindings(page: Page): Promise<string[]> {
  // Injected as the test's own, which no policy of a page hinders.
  await page.evaluate(await readFile(axeSource, 'utf8'));
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; help: string }[] }> };
    };
    return (await axe.run()).violations;
  });
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help }) => `${id}: ${help}`);
}

describe('logging in', () => {
  it('is refused with a wrong token, in words, and the right one opens the overview', async () => {
    const page = await web.open();
    await page.goto(web.url);
    await page.getByLabel('Token').fill('busy_wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await expect.poll(() => page.getByRole('alert').textContent(), patience).toMatch(/token/i);
    await page.getByLabel('Token').fill(viewer);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const cookies = await page.context().cookies();
    expect(cookies).toMatchObject([{ name: 'busy_session', httpOnly: true, sameSite: 'Strict' }]);
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Token').waitFor();
    await page.context().close();
  });

  it('carries no call of another site, and none without a session', async () => {
    expect((await call({})).status).toBe(401);
    expect((await call({ origin: 'https://evil.example' })).status).toBe(403);
    expect((await call({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  });

  it('is not needed for the metrics, but a token is', async () => {
    const ask = (authorization: string, method = 'GET'): Promise<Response> =>
      fetch(`${web.url}metrics`, { method, headers: authorization === '' ? {} : { authorization } });
    for (const [authorization, status] of [
      ['', 401],
      ['Bearer ', 401],
      ['Bearer busy_wrong', 401],
      [`Basic ${viewer}`, 401],
    ] as const)
      expect([authorization, (await ask(authorization)).status]).toEqual([authorization, status]);
    expect((await ask(`Bearer ${viewer}`, 'POST')).status).toBe(405);
    const answer = await ask(`Bearer ${viewer}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(valueOf(parsePrometheusText(await answer.text()), 'busy_hosts')).toBe(3);
  });
});

describe('the overview', () => {
  it('names what needs attention first, and shows a backup while it runs, until it is cancelled', async () => {
    const page = await web.openAs(admin);
    const rows = page.getByRole('row');
    await expect.poll(() => rows.nth(1).textContent(), patience).toMatch(/^broken.*failing/);
    await page.getByRole('link', { name: 'slow', exact: true }).click();
    await page.getByRole('button', { name: 'Full backup' }).click();
    await page.getByRole('heading', { name: /slow · backup full/ }).waitFor();
    await expect.poll(() => page.getByRole('progressbar').getAttribute('value'), patience).toMatch(/^[1-9]/);
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('link', { name: 'slow · backup' }).click();
    await expect
      .poll(() => page.getByLabel('Lines of the log').textContent(), patience)
      .toContain('job 1 of 1');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('cancelled', { exact: false }).first().waitFor();
    await expect.poll(async () => (await bed.lastRun('slow')).error?.reason, patience).toBe('CANCELLED');
    await page.context().close();
  });

  it('comes back by itself when the daemon was away', async () => {
    const page = await web.openAs(admin);
    await bed.stopDaemon();
    await page.getByText('The daemon does not answer').waitFor();
    await bed.startDaemon();
    await expect.poll(() => page.getByText('The daemon does not answer').count(), patience).toBe(0);
    await bed.backUp('web1');
    await expect
      .poll(() => page.getByRole('row', { name: /^web1/ }).textContent(), patience)
      .toContain('succeeded');
    await page.context().close();
  });
});

describe('a snapshot', () => {
  it('is browsed, shows odd names as text, and gives a file byte for byte', async () => {
    const page = await web.openAs(admin);
    await page.getByRole('link', { name: 'web1', exact: true }).click();
    await page.getByRole('heading', { name: 'Snapshots' }).waitFor();
    await page.getByRole('rowheader').first().getByRole('link').click();
    for (const name of bed.directory.split('/').filter(Boolean).concat('source'))
      await page
        .getByRole('table')
        .getByRole('link', { name: `${name}/` })
        .click();
    await page.getByText('<img src=x onerror=', { exact: false }).waitFor();
    expect(await page.getByText('\\u{202e}', { exact: false }).count()).toBe(1);
    expect(await page.title()).toBe('BUSY');
    await page.getByRole('table').getByRole('link', { name: 'folder/' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'file.bin' }).click(),
    ]);
    expect(await readFile(await download.path())).toEqual(Buffer.from([0, 255, 1, 254, 10, 13]));
    await page.context().close();
  });

  it('restores: first what would change, then for real', async () => {
    const page = await web.openAs(admin);
    const { snapshot } = await bed.lastRun('web1');
    const target = join(bed.directory, 'restored');
    await mkdir(target);
    const folder = encodeURIComponent(join(bed.directory, 'source/folder'));
    for (const button of ['Show what would change', 'Restore']) {
      await page.goto(`${web.url}hosts/web1/snapshots/${snapshot}?path=${folder}`);
      await page.getByRole('button', { name: 'Restore …' }).click();
      await page.getByLabel('To a directory of the backup server').check();
      await page.getByRole('textbox', { name: 'Directory' }).fill(target);
      await page.getByRole('button', { name: button, exact: true }).click();
      await page.getByRole('heading', { name: 'web1 · restore' }).waitFor();
      await page.getByText('succeeded').first().waitFor();
      const there = await readFile(join(target, 'folder/file.bin')).catch(() => null);
      expect(there === null).toBe(button !== 'Restore');
    }
    await page.context().close();
  });
});

describe('a viewer', () => {
  it('may not start anything, and is told so', async () => {
    const page = await web.openAs(viewer);
    await page.getByRole('link', { name: 'web1', exact: true }).click();
    const runs = (await bed.lastRun('web1')).id;
    await page.getByRole('button', { name: 'Back up now' }).click();
    await page.getByText(/role/).first().waitFor();
    expect((await bed.lastRun('web1')).id).toBe(runs);
    await page.context().close();
  });
});

describe('every page', () => {
  it.each(['', 'hosts/web1', 'archives', 'audit', 'settings'])(
    'has no serious finding of axe, also dark and on a phone: %s',
    async (path) => {
      const page = await web.openAs(admin, {
        colorScheme: 'dark',
        viewport: { width: 390, height: 800 },
      });
      await page.goto(`${web.url}${path}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForLoadState('load');
      expect(await seriousFindings(page)).toEqual([]);
      const overflow = await page.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(overflow).toBeLessThanOrEqual(0);
      await page.context().close();
    },
  );
});
