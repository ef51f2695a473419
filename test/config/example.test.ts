import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Host } from '../../src/core/host.js';
import { settingsOf } from '../../src/config/schema.js';
import { meaning, parsed } from './parsed.js';

describe('the example file', () => {
  const commentedKey = /^( *)#([a-z_]+:)/gm;

  it('is a good file as it is', async () => {
    expect(parsed(await exampleText()).hosts).toHaveLength(1);
  });

  it('shows every setting, each with its default', async () => {
    const text = (await exampleText()).replace(commentedKey, '$1$2');
    // These only go with another database than the default.
    const config = parsed(text.replace(/^mysql_.*\n/gm, ''));
    const settings = parse(text) as {
      tls: object;
      log: object;
      mail: object;
      scripts: object;
      defaults: object;
      hosts: object[];
    };
    const hostKeys = [...Object.keys(settings.defaults), ...Object.keys(settings.hosts[0] ?? {})];
    expect(Object.keys(settings).sort()).toEqual(Object.keys(settingsOf.top).sort());
    expect(hostKeys.sort()).toEqual(Object.keys(settingsOf.host).sort());
    for (const section of ['log', 'mail', 'scripts'] as const)
      expect(Object.keys(settings[section]).sort()).toEqual(Object.keys(settingsOf[section]).sort());

    const bare = parsed('hosts: [{ name: web1, backupdir: /srv/backup, srcdirs: [/etc, /home] }]');
    const { user, passwordFile, digest } = config.mail;
    const withoutDefault = {
      executors: config.executors,
      tls: config.tls,
      metricsListen: config.metricsListen,
      socketGroup: config.socketGroup,
      access: { ...bare.access, certificates: config.access.certificates },
      log: { ...bare.log, file: config.log.file, syslog: config.log.syslog },
      mail: { ...bare.mail, user, passwordFile, digest },
    };
    const hosts = bare.hosts.map((host, index) => ({
      ...host,
      ...withoutHostDefault(config.hosts[index], host),
    }));
    expect(meaning(config)).toEqual({ ...meaning(bare), ...withoutDefault, hosts });
  });
});

/** What the file shows an example of, since there is no default or one that depends on the machine. */
function withoutHostDefault(shown: Host | undefined, { schedule, archive }: Host): Partial<Host> {
  if (!shown) return {};
  const { hostname, hostKey, identityPassphraseFile, identityAgent, restoreIdentityFile } = shown;
  const { preCommand, postCommand, archivedir } = shown;
  const { timeZone } = shown.schedule;
  return {
    hostname,
    hostKey,
    identityPassphraseFile,
    identityAgent,
    restoreIdentityFile,
    preCommand,
    postCommand,
    archivedir,
    archive: { ...archive, copyTo: shown.archive.copyTo },
    schedule: { ...schedule, timeZone },
  };
}

function exampleText(): Promise<string> {
  return readFile(new URL('../../config/busy.example.yaml', import.meta.url), 'utf8');
}
