import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parsed } from './config/parsed.js';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-main-'));
  await writeFile(join(directory, 'good.yaml'), 'hosts: [{ name: web1, backupdir: /b, srcdirs: [/etc] }]');
  await writeFile(join(directory, 'bad.yaml'), 'max_running: 0\nzzzz: 1\n');
  await writeFile(join(directory, 'busy.conf'), 'default = { backupdir = "/b"; srcdirs = ("/etc"); };');
});
afterAll(() => rm(directory, { recursive: true }));

function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ['--import', 'tsx', main, ...args], (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

test('check-config prints the settings in effect, also of the file named by --config', async () => {
  const file = join(directory, 'good.yaml');
  const [named, global] = await Promise.all([
    run('check-config', file),
    run('--config', file, 'check-config'),
  ]);
  expect(named).toMatchObject({ code: 0, stderr: '', stdout: global.stdout });
  expect(parsed(named.stdout).hosts).toMatchObject([{ name: 'web1' }]);
});

test('a bad file ends check-config and the daemon with 1, one problem a line', async () => {
  const file = join(directory, 'bad.yaml');
  const [checked, started] = await Promise.all([run('check-config', '-q', file), run('--config', file)]);
  expect(checked).toMatchObject({ code: 1, stdout: '', stderr: started.stderr });
  expect(started.code).toBe(1);
  expect(checked.stderr.split('\n')).toEqual([
    expect.stringContaining(`${file}:1:14: max_running: `),
    expect.stringContaining(`${file}:2:1: zzzz: is no setting`),
    '',
  ]);
});

test('convert-config prints YAML', async () => {
  const { code, stdout } = await run('convert-config', join(directory, 'busy.conf'));
  expect(code).toBe(0);
  expect(stdout).toContain('defaults:\n  backupdir: /b\n');
});

test('wrong usage ends with 2', async () => {
  const wrong = [['convert-config'], ['no-such-command'], ['--no-such-option']];
  for (const { code, stdout } of await Promise.all(wrong.map((args) => run(...args)))) {
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  }
});
