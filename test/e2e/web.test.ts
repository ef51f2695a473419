/** The page in a real browser, against a real daemon with real backups. */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openWebPage } from '../../clients/quickstart/web-page.js';
import { isWorthTryingAgain } from '../../clients/web/page/api/errors.js';
import { readLog } from '../../clients/web/page/pages/run/log-lines.js';
import { logSource } from '../helpers/page-log-source.js';
import { cutAfter } from '../helpers/cutting-proxy.js';
import { isAlive, TestBed } from '../helpers/test-bed.js';
import { WebBed } from '../helpers/web-bed.js';

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

function program(path: string): string {
  return new URL(`../../dist/clients/${path}`, import.meta.url).pathname;
}

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
    const directory = page.getByRole('region', { name: 'Source directories' }).last();
    await expect.poll(() => directory.textContent(), patience).toMatch(/running.*0 files sent · .*large/);
    await page.getByRole('link', { name: 'Overview' }).click();
    await expect
      .poll(() => page.getByRole('row', { name: /^slow/ }).textContent(), patience)
      .toContain('runs now');
    await page.getByRole('link', { name: 'slow · backup' }).click();
    await expect
      .poll(() => page.getByLabel('Lines of the log').textContent(), patience)
      .toContain('job 1 of 1');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('cancelled', { exact: false }).first().waitFor();
    await expect.poll(async () => (await bed.lastRun('slow')).error?.reason, patience).toBe('CANCELLED');
    await page.context().close();
  });

  it('comes back by itself when the daemon was killed, as what was asked for meanwhile does', async () => {
    const page = await web.openAs(admin);
    const { id } = await bed.lastRun('web1');
    await page.getByRole('row', { name: /^web1/ }).getByRole('link', { name: 'succeeded' }).click();
    await page.getByRole('heading', { name: /^web1 · backup/ }).waitFor();
    await bed.stopDaemon('SIGKILL');
    const notice = page.getByText('The daemon does not answer; what is shown may be old.', { exact: false });
    await notice.waitFor();
    // What is known of the run stays.
    expect(await page.getByText(id).count()).toBe(1);
    expect(await page.getByRole('alert').filter({ hasText: /./ }).count()).toBe(0);
    await page.getByRole('link', { name: 'Archives' }).click();
    await page.getByRole('alert').getByText('The daemon does not answer.').waitFor();
    await bed.startDaemon();
    await page.getByText('There are no archives.').waitFor();
    await expect.poll(() => notice.count(), patience).toBe(0);
    await page.getByRole('link', { name: 'Overview' }).click();
    const last = page.getByRole('row', { name: /^web1/ }).getByRole('link', { name: 'succeeded' });
    expect(await last.getAttribute('href')).toMatch(new RegExp(`/runs/${id}$`));
    const next = await bed.backUp('web1');
    expect(next.id).not.toBe(id);
    await expect.poll(() => last.getAttribute('href'), patience).toMatch(new RegExp(`/runs/${next.id}$`));
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
    expect(await page.title()).toMatch(/^web1\/.* · BUSY$/);
    await page.getByRole('table').getByRole('link', { name: 'folder/' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'file.bin' }).click(),
    ]);
    expect(await readFile(await download.path())).toEqual(Buffer.from([0, 255, 1, 254, 10, 13]));
    await page.context().close();
  });

  it('is restored only after a dry run of the same choice', async () => {
    const page = await web.openAs(admin);
    const { snapshot } = await bed.lastRun('web1');
    const target = join(bed.directory, 'restored');
    await mkdir(target);
    const folder = encodeURIComponent(join(bed.directory, 'source/folder'));
    await page.goto(`${web.url}hosts/web1/snapshots/${snapshot}?path=${folder}`);
    await page.getByRole('button', { name: 'Restore …' }).click();
    const restore = page.getByRole('button', { name: 'Restore', exact: true });
    await page.getByLabel('To a directory of the backup server').check();
    await page.getByRole('textbox', { name: 'Directory' }).fill(target);
    expect(await restore.getAttribute('aria-disabled')).toBe('true');
    await page.getByRole('button', { name: 'Show what would change' }).click();
    await page.getByText('It would make 2, replace 0 and delete 0').waitFor();
    await page.getByText('folder/file.bin').waitFor();
    expect(await readFile(join(target, 'folder/file.bin')).catch(() => null)).toBeNull();
    await page.getByLabel('Replace what differs', { exact: true }).check();
    expect(await restore.getAttribute('aria-disabled')).toBe('true');
    await page.getByLabel('Restore without trying it first').check();
    expect(await restore.getAttribute('aria-disabled')).toBe('false');
    await page.getByLabel('Mirror:', { exact: false }).check();
    expect(await restore.getAttribute('aria-disabled')).toBe('true');
    await page.getByLabel(`Type ${target} to confirm`).fill(target);
    expect(await restore.getAttribute('aria-disabled')).toBe('false');
    await page.getByLabel('Leave what is there as it is').check();
    await restore.click();
    await page.getByRole('heading', { name: 'web1 · restore' }).waitFor();
    await page.getByText('succeeded').first().waitFor();
    // The list of changes comes when the run has ended.
    const changes = page.getByRole('region', { name: 'Changes' });
    await expect.poll(() => changes.textContent(), patience).toContain('folder/file.bin');
    await page.getByText('2 new, 0 replaced, 0 deleted', { exact: false }).waitFor();
    expect(await readFile(join(target, 'folder/file.bin'))).toEqual(Buffer.from([0, 255, 1, 254, 10, 13]));
    await page.context().close();
  });
});

describe('a viewer', () => {
  it('may not start anything, and is told why', async () => {
    const page = await web.openAs(viewer);
    await page.getByRole('link', { name: 'web1', exact: true }).click();
    await page.getByText('This needs the role operator; you are viewer.').first().waitFor();
    const start = page.getByRole('button', { name: 'Back up now' });
    expect(await start.getAttribute('aria-disabled')).toBe('true');
    expect(await start.getAttribute('title')).toContain('role operator');
    // Not only the page says so.
    const answer = await page.context().request.post(`${web.url}api/busy.v1.BackupService/TriggerBackup`, {
      headers: { 'content-type': 'application/json', 'connect-protocol-version': '1' },
      data: '{"host":"web1"}',
    });
    expect(answer.status()).toBe(403);
    await page.context().close();
  });
});

describe('the log of a run', () => {
  it('has each line once, also when the connection is cut several times', async () => {
    const { id } = await bed.lastRun('broken');
    const file = join(bed.directory, 'state/run-logs', `${id}.log`);
    const lines = Array.from({ length: 20_000 }, (_, number) => `line ${number} of a long log`);
    await appendFile(file, lines.map((line) => `${line}\n`).join(''));
    const proxy = await cutAfter(web.url, { bytes: 150_000, times: 3 });
    try {
      const seen: string[] = [];
      await readLog(await logSource(proxy.url, viewer), id, {
        signal: AbortSignal.timeout(60_000),
        onLines: (more) => void seen.push(...more),
        isWorthTryingAgain,
      });
      expect(proxy.cuts()).toBe(3);
      expect(seen).toEqual((await readFile(file, 'utf8')).trimEnd().split('\n'));
    } finally {
      await proxy.end();
    }
  });
});

describe('the page of the quickstart', () => {
  it('logs in by its address, and ends when it is told to', async () => {
    const page = await openWebPage({
      busy: program('cli/main.js'),
      busyWeb: program('web/gateway/main.js'),
      socket: bed.socket,
    });
    const stop = new AbortController();
    const end = page.untilStopped(stop.signal);
    const browserPage = await web.open();
    await browserPage.goto(page.address);
    await browserPage.getByRole('heading', { name: 'Overview' }).waitFor();
    await browserPage.context().close();
    stop.abort();
    await end;
    expect(isAlive(page.pid)).toBe(false);
  });
});
