/** Hosts on the web page: read where they stand in the file, changed where they live in the database. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { seriousFindings } from '../helpers/serious-findings.js';
import { TestBed } from '../helpers/test-bed.js';
import { WebBed } from '../helpers/web-bed.js';

const patience = { timeout: 60_000 };

let bed: TestBed;
let web: WebBed;
let sshd: PrivateSshd;
let admin: string;

beforeAll(async () => {
  bed = await TestBed.create();
  sshd = await bed.startSshd();
  await bed.configure([bed.hostAt(sshd, { name: 'filed', srcdirs: ['/etc/ssh'], max_incr: 4 })]);
  await mkdir(source());
  await writeFile(join(source(), 'file'), 'content');
  await bed.startDaemon();
  const { stdout } = await bed.busy(['--json', 'token', 'create', '--role', 'admin']);
  ({ token: admin } = JSON.parse(stdout) as { token: string });
  web = await WebBed.create(bed);
});
afterAll(async () => {
  await web.end();
  await bed.end();
});
afterEach(() => expect(web.complaints.splice(0)).toEqual([]));

function source(): string {
  return join(bed.directory, 'source');
}

async function opened(path: string): Promise<Page> {
  const page = await web.openAs(admin);
  await page.goto(`${web.url}${path}`);
  return page;
}

it('of the file are shown with all that holds, where it comes from, and why it cannot be changed', async () => {
  const page = await opened('hosts');
  await page.getByText(`The hosts stand in the configuration file ${bed.configFile}`).waitFor();
  expect(await page.getByRole('link', { name: 'Add a host' }).count()).toBe(0);
  await page.getByRole('region', { name: 'Hosts' }).getByRole('link', { name: 'Settings' }).click();
  const row = page.getByRole('row', { name: /^max_incr/ });
  await expect.poll(() => row.textContent(), patience).toMatch(/^max_incr4its own/);
  expect(await page.getByRole('row', { name: /^port/ }).textContent()).toContain(String(sshd.port));
  expect(await page.getByRole('row', { name: /^max_age_full/ }).textContent()).toContain('default of BUSY');
  expect(await page.getByRole('textbox').count()).toBe(0);
  await page.context().close();
});

it('of the database are added and enrolled', async () => {
  await bed.configure([], { defaults: { backupdir: bed.backupdir, max_incr: 6 } });
  expect((await bed.busy(['reload'])).code).toBe(0);
  const page = await opened('new-host');
  await page.getByLabel('srcdirs').waitFor();
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByLabel('Name', { exact: true }).fill('web1');
  await page.getByLabel('srcdirs').fill('etc');
  await page.getByLabel('schedule', { exact: true }).fill('never');
  await page.getByRole('button', { name: 'Add the host' }).click();
  // What is wrong stands at its field, which has the focus.
  await page.getByText('is the relative path "etc"').first().waitFor();
  expect(await page.getByLabel('srcdirs').getAttribute('aria-invalid')).toBe('true');
  expect(await page.evaluate('document.activeElement.name')).toBe('srcdirs');
  await page.getByLabel('srcdirs').fill(source());
  await page.getByLabel('addresses').fill('127.0.0.1');
  await page.getByLabel('port', { exact: true }).fill(String(sshd.port));
  await page.getByLabel('user', { exact: true }).fill(sshd.user);
  await page.getByText('Keys', { exact: true }).click();
  await page.getByLabel('identity_file', { exact: true }).fill(sshd.identityFile);
  await page.getByRole('button', { name: 'Add the host' }).click();

  await page.getByRole('heading', { name: 'web1 · enroll' }).waitFor();
  await page.getByRole('button', { name: 'Ask for its key' }).click();
  await page.getByText(sshd.fingerprint).waitFor();
  const pin = page.getByRole('button', { name: 'Pin this key' });
  expect(await pin.getAttribute('aria-disabled')).toBe('true');
  await page.getByLabel('I have compared it there').check();
  await pin.click();
  await page.getByText(`${sshd.fingerprint} is pinned.`).waitFor();
  await page.getByRole('button', { name: 'Show the public key' }).click();
  const [type = '', key = ''] = (await readFile(`${sshd.identityFile}.pub`, 'utf8')).split(' ');
  const line = page.getByLabel('Line for authorized_keys');
  await expect.poll(() => line.inputValue(), patience).toContain(`${type} ${key}`);
  await page.getByRole('button', { name: 'Test the host' }).click();
  await expect
    .poll(() => page.getByRole('list', { name: 'Results' }).textContent(), patience)
    .toContain('login');
  await page.context().close();
  expect((await bed.backUp('web1')).error).toBeUndefined();
});

it('of the database are changed setting by setting, and go back to their defaults', async () => {
  const page = await opened('hosts/web1/settings');
  const field = page.getByLabel('max_incr');
  await expect.poll(() => field.getAttribute('placeholder'), patience).toBe('6');
  expect(await page.getByRole('button', { name: 'Save' }).getAttribute('aria-disabled')).toBe('true');
  await field.fill('-1');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('is the number -1').first().waitFor();
  await field.fill('3');
  await page.getByLabel('keep').first().fill('daily: 7');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved: max_incr, keep.').waitFor();
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Save');
  const { stdout } = await bed.busy(['host', 'web1']);
  expect(stdout).toContain('max_incr=3\n');
  expect(stdout).toContain('schedule=never\n');
  await page.getByLabel('max_incr').fill('');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved: max_incr.').waitFor();
  expect((await bed.busy(['host', 'web1'])).stdout).not.toContain('max_incr=');

  // Somebody else was faster: nothing of his is overwritten, and nothing that was typed is lost when the page hears of it.
  await page.getByLabel('max_incr').fill('5');
  expect((await bed.busy(['host', 'edit', 'web1', 'retry_after=9m'])).code).toBe(0);
  const heard = page.waitForResponse((response) => response.url().endsWith('HostService/GetHost'));
  await bed.backUp('web1');
  await heard;
  expect(await page.getByLabel('max_incr').inputValue()).toBe('5');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('HOST_CHANGED').waitFor();
  expect((await bed.busy(['host', 'web1'])).stdout).not.toContain('max_incr=');
  await page.getByRole('button', { name: 'Load the new settings' }).click();
  await expect.poll(() => page.getByLabel('retry_after').inputValue(), patience).toBe('9m');
  expect(await page.getByLabel('max_incr').inputValue()).toBe('');
  expect(await page.getByText('HOST_CHANGED').count()).toBe(0);
  await page.context().close();
});

it('of the database are removed after their name was typed, and come back from the trash', async () => {
  const page = await opened('hosts/web1/settings');
  await page.getByRole('button', { name: 'Remove the host …' }).click();
  const remove = page.getByRole('button', { name: 'Move it to the trash' });
  expect(await remove.getAttribute('aria-disabled')).toBe('true');
  await page.getByLabel('Type web1 to confirm').fill('web1');
  await remove.click();
  await page.getByRole('heading', { name: 'Trash' }).waitFor();
  await page.getByRole('button', { name: 'Put back' }).click();
  await page.getByText('The trash is empty.').waitFor();
  await expect.poll(() => page.evaluate('document.activeElement.textContent'), patience).toBe('Trash');
  await page.getByRole('link', { name: 'Hosts' }).click();
  await page.getByRole('rowheader', { name: 'web1' }).waitFor();
  await page.context().close();
});

it('with a held snapshot say why, and it is discarded and put back', async () => {
  await rm(join(source(), 'file'));
  const { snapshot } = await bed.backUp('web1');
  const page = await opened(`hosts/web1/snapshots/${snapshot}`);
  const held = page.getByRole('region', { name: `Snapshot ${snapshot} is held` });
  await held.getByText('has no files (is it mounted?)').waitFor();
  await held.getByRole('button', { name: 'Discard …' }).click();
  await page.getByRole('button', { name: 'Move it to the trash' }).click();
  await page.getByRole('heading', { name: 'web1', exact: true }).waitFor();
  await held.waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'Trash' }).click();
  await page.getByRole('rowheader', { name: `web1/${snapshot}` }).waitFor();
  await page.getByRole('button', { name: 'Put back' }).click();
  await page.getByText('The trash is empty.').waitFor();
  await page.goto(`${web.url}hosts/web1`);
  await held.getByRole('button', { name: 'It is good: acknowledge' }).click();
  await held.waitFor({ state: 'detached' });
  const { stdout } = await bed.busy(['--json', 'snapshots', 'web1']);
  const { snapshots } = JSON.parse(stdout) as { snapshots: { name: string; heldFor?: unknown[] }[] };
  expect(snapshots.find(({ name }) => name === snapshot)?.heldFor ?? []).toEqual([]);
  await page.context().close();
});
