import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.js';
import type { Endpoint } from '../src/core/endpoint.js';
import { edKey, parsed, parsedHost } from './config/parsed.js';

const minimal = 'hosts: [{ name: web1, backupdir: /srv/backup, srcdirs: [/etc] }]';

describe('a good file', () => {
  it('gets every default', () => {
    expect(parsed(minimal)).toEqual({
      file: 'busy.yaml',
      stateDir: '/var/lib/busy',
      listen: [{ kind: 'unix', path: '/run/busy/busyd.sock' }],
      tls: null,
      socketGroup: '',
      access: { socketRole: 'admin', certificates: {} },
      hasReflection: true,
      database: { kind: 'sqlite', path: '/var/lib/busy/busy.db' },
      maxRunning: 4,
      maxRunningPerDisk: 4,
      metricsListen: null,
      mail: {
        from: 'busy',
        transport: { kind: 'sendmail' },
        sendmail: '/usr/sbin/sendmail',
        user: '',
        passwordFile: '',
        digest: null,
        digestTo: [],
      },
      executors: 3,
      nice: 10,
      confine: 'auto',
      reserveBytes: 64 * 1024 ** 2,
      trashDays: 7,
      stopGraceMs: 30_000,
      takeoverAfterMs: 60_000,
      keepRunsDays: 365,
      scripts: {
        preBackup: '/etc/busy/pre-backup',
        postBackup: '/etc/busy/post-backup',
        preArchive: '/etc/busy/pre-archive',
        postArchive: '/etc/busy/post-archive',
        timeoutMs: 600_000,
      },
      log: { level: 'info', format: 'text', file: null, syslog: null },
      hosts: [
        {
          name: 'web1',
          hostname: '',
          addresses: ['web1'],
          port: 22,
          user: 'root',
          identityFile: '/var/lib/busy/keys/web1',
          identityPassphraseFile: '',
          identityAgent: '',
          restoreIdentityFile: '',
          hostKey: '',
          backupdir: '/srv/backup',
          minFree: { unit: 'percent', amount: 1 },
          quotaBytes: 0,
          maxEntries: 50_000_000,
          rsyncMemoryBytes: 4 * 1024 ** 3,
          srcdirs: ['/etc'],
          excludes: [],
          volatile: [],
          initiator: 'server',
          rsyncOpts: ['-aHAXS', '--numeric-ids'],
          rsyncPath: ['rsync'],
          bandwidthLimit: '',
          jobsAtOnce: 1,
          maxAge: 30,
          archivedir: '',
          archive: { slots: ['03:00'], format: 'tar.gz', level: 0, threads: 0, keep: null, copyTo: '' },
          maxIncr: 10,
          maxAgeFull: 7,
          maxAgeIncr: 1,
          connectTimeoutMs: 10_000,
          idleTimeoutMs: 600_000,
          timeoutMs: 86_400_000,
          schedule: {
            slots: [],
            timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
            catchUpMs: 86_400_000,
            jitterMs: 0,
          },
          windows: [],
          retryAfterMs: 300_000,
          verifyEvery: 30,
          verifySchedule: ['01:00-05:00'],
          drillSchedule: [],
          drillSample: 100,
          drillPaths: [],
          drillCommand: [],
          alertAfter: 7,
          preCommand: '',
          postCommand: '',
          commandTimeoutMs: 600_000,
          keep: null,
          gate: { maxShrink: 0.5, maxChange: 0.8, allowEmpty: false },
          mail: { to: [], when: 'on_change', includesPartial: true, reminderMs: 259_200_000 },
        },
      ],
      hostDefaults: {},
      written: { defaults: {}, hosts: { web1: { backupdir: '/srv/backup', srcdirs: ['/etc'] } } },
    });
  });

  it('may have no hosts yet', () => {
    expect(parsed('state_dir: /srv/state')).toMatchObject({
      hosts: [],
      database: { path: '/srv/state/busy.db' },
    });
  });

  it('lets a host override the defaults, lists as a whole', () => {
    const { hosts } = parsed(`
state_dir: /state
defaults: { backupdir: /b, srcdirs: [/etc, /home], excludes: [a, b], user: backup, port: 2222 }
hosts:
  - { name: a, hostname: alpha.example, excludes: [c] }
  - { name: b, addresses: [192.0.2.1, "2001:db8::1"], srcdirs: [/], user: root }
`);
    expect(hosts).toMatchObject([
      {
        name: 'a',
        addresses: ['alpha.example'],
        excludes: ['c'],
        srcdirs: ['/etc', '/home'],
        user: 'backup',
        port: 2222,
      },
      {
        name: 'b',
        hostname: '',
        addresses: ['192.0.2.1', '2001:db8::1'],
        excludes: ['a', 'b'],
        srcdirs: ['/'],
        user: 'root',
      },
    ]);
    expect(hosts.map((host) => host.identityFile)).toEqual(['/state/keys/a', '/state/keys/b']);
  });

  it.each([
    ['30s', 30_000],
    ['10m', 600_000],
    ['"2 h"', 7_200_000],
    ['1.5h', 5_400_000],
    ['1d', 86_400_000],
    ['45', 45_000],
    ['"45"', 45_000],
    ['0', 0],
  ])('takes the duration %s', (written, ms) => {
    expect(parsed(`stop_grace: ${written}`).stopGraceMs).toBe(ms);
  });

  it.each([
    ['tcp://127.0.0.1:0', [{ kind: 'tcp', host: '127.0.0.1', port: 0, isTls: false }]],
    ['"tcp://[::1]:4000"', [{ kind: 'tcp', host: '::1', port: 4000, isTls: false }]],
    ['tcp://localhost:4000', [{ kind: 'tcp', host: '127.0.0.1', port: 4000, isTls: false }]],
    ['tls://localhost:4000\ntls: { cert: /c, key: /k }', [tls('127.0.0.1')]],
    ['tcp://0.0.0.0:4000\ntls: { cert: /c, key: /k }', [tls('0.0.0.0')]],
    ['"tcp://[2001:DB8::1]:4000"\ntls: { cert: /c, key: /k }', [tls('2001:db8::1')]],
    ['tcp://backup.example:4000\ntls: { cert: /c, key: /k }', [tls('backup.example')]],
    [
      '[unix:/a//b/s, tcp://127.0.0.1:1]',
      [
        { kind: 'unix', path: '/a/b/s' },
        { kind: 'tcp', host: '127.0.0.1', port: 1, isTls: false },
      ],
    ],
  ])('takes the endpoint %s', (written, endpoints) => {
    expect(parsed(`listen: ${written}`).listen).toEqual(endpoints);
  });

  it.each([
    ['srcdirs: [/etc/, //home//a/./b/, /]', { srcdirs: ['/etc', '/home/a/b', '/'] }],
    [
      'rsync_opts: -aH   --exclude="a b" \'--exclude=c d\'',
      { rsyncOpts: ['-aH', '--exclude=a b', '--exclude=c d'] },
    ],
    ['rsync_opts: [-a, "--exclude=it\'s"]', { rsyncOpts: ['-a', "--exclude=it's"] }],
    ['rsync_path: sudo -n /usr/bin/rsync', { rsyncPath: ['sudo', '-n', '/usr/bin/rsync'] }],
    ['rsync_path: [doas, rsync]', { rsyncPath: ['doas', 'rsync'] }],
    ['bandwidth_limit: 500', { bandwidthLimit: '500' }],
    ['bandwidth_limit: 1.5m', { bandwidthLimit: '1.5m' }],
    ['bandwidth_limit: 10MiB', { bandwidthLimit: '10MiB' }],
    ['bandwidth_limit: 0', { bandwidthLimit: '' }],
    ['bandwidth_limit: ""', { bandwidthLimit: '' }],
    [`host_key: ${edKey} root@web1`, { hostKey: edKey }],
    [`host_key: SHA256:${'a'.repeat(43)}=`, { hostKey: `SHA256:${'a'.repeat(43)}` }],
    ['idle_timeout: 0', { idleTimeoutMs: 0 }],
    ['max_age_incr: 0.5', { maxAgeIncr: 0.5 }],
    ['excludes: ["*.tmp", "/home/*/.cache/"]', { excludes: ['*.tmp', '/home/*/.cache/'] }],
  ])('takes the host setting %s', (written, expected) => {
    expect(parsedHost(written)).toMatchObject(expected);
  });

  it('is frozen in all its depth', () => {
    const config = parsed(minimal);
    expect(() => Object.assign(config.hosts[0] ?? {}, { port: 1 })).toThrow(TypeError);
    expect(Object.isFrozen(config.hosts) && Object.isFrozen(config.hosts[0]?.srcdirs)).toBe(true);
    expect(Object.isFrozen(config.log) && Object.isFrozen(config.listen[0])).toBe(true);
  });

  it('may repeat itself by aliases', () => {
    const text = `
hosts:
  - { name: a, backupdir: &dir /b, srcdirs: &src [/etc] }
  - { name: b, backupdir: *dir, srcdirs: *src }
`;
    expect(parsed(text).hosts.map((host) => host.srcdirs)).toEqual([['/etc'], ['/etc']]);
  });
});

describe('readConfig', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'busy-config-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('reads a file', async () => {
    const file = join(directory, 'busy.yaml');
    await writeFile(file, minimal);
    expect(await readConfig(file, 2)).toMatchObject({ file, executors: 2, hosts: [{ name: 'web1' }] });
  });

  it('says why it cannot', async () => {
    const missing = join(directory, 'none.yaml');
    await expect(readConfig(missing, 2)).rejects.toThrow(`${missing}: the file cannot be read: ENOENT`);
    const binary = join(directory, 'binary.yaml');
    await writeFile(binary, Buffer.from([0xff, 0xfe, 0x00]));
    await expect(readConfig(binary, 2)).rejects.toBeInstanceOf(ConfigError);
  });
});

function tls(host: string): Endpoint {
  return { kind: 'tcp', host, port: 4000, isTls: true };
}
