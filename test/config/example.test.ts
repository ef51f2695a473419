import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { settingsOf } from '../../src/config/schema.js';
import { parsed } from './parsed.js';

describe('the example file', () => {
  const commentedKey = /^( *)#([a-z_]+:)/gm;

  it('is a good file as it is', async () => {
    expect(parsed(await exampleText()).hosts).toHaveLength(1);
  });

  it('shows every setting, each with its default', async () => {
    const text = (await exampleText()).replace(commentedKey, '$1$2');
    const config = parsed(text);
    const settings = parse(text) as { log: object; defaults: object; hosts: object[] };
    const hostKeys = [...Object.keys(settings.defaults), ...Object.keys(settings.hosts[0] ?? {})];
    expect(Object.keys(settings).sort()).toEqual(Object.keys(settingsOf.top).sort());
    expect(Object.keys(settings.log).sort()).toEqual(Object.keys(settingsOf.log).sort());
    expect(hostKeys.sort()).toEqual(Object.keys(settingsOf.host).sort());

    const bare = parsed('hosts: [{ name: web1, backupdir: /srv/backup, srcdirs: [/etc, /home] }]');
    const withoutDefault = { executors: config.executors, log: { ...bare.log, file: config.log.file } };
    const [shown] = config.hosts;
    const withoutHostDefault = { hostname: shown?.hostname, hostKey: shown?.hostKey };
    const hosts = bare.hosts.map((host) => ({ ...host, ...withoutHostDefault }));
    expect(config).toEqual({ ...bare, ...withoutDefault, hosts });
  });
});

function exampleText(): Promise<string> {
  return readFile(new URL('../../config/busy.example.yaml', import.meta.url), 'utf8');
}
