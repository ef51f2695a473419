import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig, convertOriginalConfig } from '../src/busyd-commands.js';
import { ConfigError } from '../src/config.js';
import { parsed } from './config/parsed.js';

let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-commands-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function fileWith(content: string | Buffer): Promise<string> {
  const file = join(directory, 'file');
  await writeFile(file, content);
  return file;
}

describe('check-config', () => {
  it('answers the settings in effect, and which hosts lack a key', async () => {
    const file = await fileWith('hosts: [{ name: web1, backupdir: /b, srcdirs: [/etc] }]');
    const text = await checkConfig(file, false);
    expect(text).toContain(`# ${file} is good.`);
    expect(text).toContain('# Without host_key, so not backed up yet (busy enroll NAME pins it): web1\n');
    expect(parsed(text).hosts).toMatchObject([{ name: 'web1', maxIncr: 10 }]);
    expect(await checkConfig(file, true)).toBe('');
  });

  it('refuses with all problems', async () => {
    const file = await fileWith('max_running: 0\nhosts: [{ name: Web1 }]');
    await expect(checkConfig(file, true)).rejects.toThrow(ConfigError);
    await expect(checkConfig(file, false)).rejects.toThrow(
      new RegExp(`^${file}:1:14: max_running: .*\n(.*\n)*${file}:2:.*srcdirs: is missing`),
    );
  });
});

describe('convert-config', () => {
  it('reads UTF-8 and Latin-1', async () => {
    const text = 'default = { backupdir = "/b" }; hosts = ({ name = "web1"; srcdirs = ("/home/jürgen") });';
    for (const encoding of ['utf8', 'latin1'] as const) {
      const yaml = await convertOriginalConfig(await fileWith(Buffer.from(text, encoding)));
      expect(parsed(yaml).hosts).toMatchObject([{ srcdirs: ['/home/jürgen'] }]);
    }
  });

  it('says why it cannot', async () => {
    await expect(convertOriginalConfig(join(directory, 'none'))).rejects.toThrow(
      /none: the file cannot be read: ENOENT/,
    );
  });
});
