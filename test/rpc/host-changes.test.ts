import { SettingSource } from '../../src/gen/busy/v1/host_settings.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import { DaemonServiceService } from '../../src/gen/busy/v1/daemon_service.js';
import { HostOrigin, HostServiceService } from '../../src/gen/busy/v1/host_service.js';
import { HostSettings } from '../../src/gen/busy/v1/host_settings.js';
import type { RpcParts } from '../../src/rpc/server.js';
import {
  call,
  errorInfoOf,
  failureOf,
  fakeParts,
  sampleCaller,
  startServer,
  type Running,
} from './fixture.js';
import { sampleHost } from './samples.js';

let running: Running;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-host-changes-'));
});
afterEach(async () => {
  await running.close();
  await rm(directory, { recursive: true });
});

/** A registry that notes what it is asked for. */
function registry(asked: unknown[], more: Readonly<Record<string, string>> = {}): RpcParts['registry'] {
  const stored = { srcdirs: ['/etc'], schedule: 'never', max_age_full: 0.5, keep: { daily: 7 }, ...more };
  return {
    kind: 'database',
    settingsInEffect: (_name, origin) => [
      {
        name: 'max_incr',
        values: ['3'],
        source: origin.kind === 'file' ? 'defaults' : 'host',
        allowed: 'all',
      },
    ],
    defaults: {
      file: '/etc/busy.yaml',
      settings: [{ name: 'max_incr', values: ['10'], source: 'built-in', allowed: 'a whole number' }],
    },
    originOf: async () => ({ kind: 'database', settings: stored, etag: 'E1' }),
    create: async (...args) => {
      asked.push(args);
      return { host: sampleHost('web1'), etag: args[2] ? '' : 'E1' };
    },
    update: async (...args) => {
      asked.push(args);
      return { host: sampleHost('web1'), etag: 'E2' };
    },
    remove: async (...args) => {
      asked.push(args);
      return { host: sampleHost('web1'), trashId: 'T1' };
    },
  };
}

function startOnSocket(changes: Partial<RpcParts>): Promise<Running> {
  return startServer(changes, { kind: 'unix', path: join(directory, 'socket') });
}

async function start(): Promise<unknown[]> {
  const asked: unknown[] = [];
  running = await startOnSocket({ registry: registry(asked) });
  return asked;
}

function settings(changes: Partial<HostSettings>): HostSettings {
  return { ...HostSettings.create(), ...changes };
}

describe('CreateHost', () => {
  it('hands the settings on in the words of the file, and nothing that is absent', async () => {
    const asked = await start();
    const given = settings({
      srcdirs: { values: ['/etc', '/home'] },
      excludes: { values: [] },
      schedule: { values: ['never'] },
      maxAgeFull: 0.5,
      port: 0,
      mailPartial: false,
      preCommand: '',
      keep: { daily: 7, weekly: 0 },
    });
    const request = { name: 'web1', settings: given, validateOnly: false };
    const answer = await call(running, HostServiceService.createHost, request);
    expect(answer).toMatchObject({ etag: 'E1', host: { name: 'web1', snapshotCount: 2, lastRun: {} } });
    const words = {
      srcdirs: ['/etc', '/home'],
      excludes: [],
      schedule: 'never',
      max_age_full: 0.5,
      port: 0,
      mail_partial: false,
      pre_command: '',
      keep: { daily: 7, weekly: 0 },
    };
    expect(asked).toEqual([['web1', words, false]]);
  });

  it('answers a trial without what only a real host has', async () => {
    await start();
    const request = { name: 'web1', settings: undefined, validateOnly: true };
    const answer = await call(running, HostServiceService.createHost, request);
    expect(answer).toMatchObject({ etag: '', host: { name: 'web1', snapshotCount: 0 } });
  });

  it('says what is wrong with the settings', async () => {
    const problems = 'backupdir: is missing, here and in defaults\nsrcdirs: is missing, here and in defaults';
    const create = () => Promise.reject(new BusyError('HOST_INVALID', { host: 'web1', problems }));
    running = await startOnSocket({ registry: { ...registry([]), create } });
    const request = { name: 'web1', settings: undefined, validateOnly: false };
    const error = await failureOf(call(running, HostServiceService.createHost, request));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(error.details).toContain('srcdirs: is missing');
    expect(errorInfoOf(error)).toMatchObject({ reason: 'HOST_INVALID' });
  });

  it.each([
    ['HOST_EXISTS', status.ALREADY_EXISTS],
    ['HOST_CHANGED', status.ABORTED],
  ] as const)('tells %s by its code', async (reason, code) => {
    const create = () => Promise.reject(new BusyError(reason, { host: 'web1' }));
    running = await startOnSocket({ registry: { ...registry([]), create } });
    const request = { name: 'web1', settings: undefined, validateOnly: false };
    expect((await failureOf(call(running, HostServiceService.createHost, request))).code).toBe(code);
  });
});

describe('UpdateHost', () => {
  const request = { name: 'web1', settings: settings({ maxIncr: 5 }), etag: 'E1', validateOnly: false };

  it.each([
    ['a mask', ['max_incr', 'excludes'], ['max_incr', 'excludes']],
    ['no mask: what has a value', undefined, ['max_incr']],
    ['an empty mask: what has a value', [], ['max_incr']],
    ['all', ['*'], ['*']],
  ])('takes %s', async (_, updateMask, mask) => {
    const asked = await start();
    await call(running, HostServiceService.updateHost, { ...request, updateMask });
    const change = { settings: { max_incr: 5 }, mask };
    expect(asked).toEqual([['web1', change, { etag: 'E1', isTrial: false }]]);
  });

  it.each([['max_inc'], ['maxIncr'], ['name'], ['keep.daily'], ['']])('refuses the mask %j', async (path) => {
    const asked = await start();
    const error = await failureOf(
      call(running, HostServiceService.updateHost, { ...request, updateMask: [path] }),
    );
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(error.details).toContain(JSON.stringify(path));
    expect(errorInfoOf(error)?.metadata.advice).toContain('max_incr');
    expect(asked).toEqual([]);
  });

  it('refuses to change nothing', async () => {
    await start();
    const nothing = { ...request, settings: undefined, updateMask: undefined };
    const error = await failureOf(call(running, HostServiceService.updateHost, nothing));
    expect(error.code).toBe(status.INVALID_ARGUMENT);
  });
});

describe('DeleteHost', () => {
  it('says which snapshots stay, and where', async () => {
    const asked = await start();
    const answer = await call(running, HostServiceService.deleteHost, { name: 'web1', etag: 'E1' });
    expect(answer).toEqual({ snapshotCount: 2, directory: '/srv/backup/web1', trashId: 'T1' });
    expect(asked).toEqual([['web1', { etag: 'E1', by: 'tester' }]]);
  });
});

describe('where a host stands', () => {
  it('is told with its own settings and its etag', async () => {
    await start();
    const answer = await call(running, HostServiceService.getHost, { name: 'web1' });
    expect(answer).toMatchObject({ origin: HostOrigin.DATABASE, etag: 'E1', host: { name: 'web1' } });
    expect(answer.settings).toMatchObject({
      srcdirs: { values: ['/etc'] },
      schedule: { values: ['never'] },
      maxAgeFull: 0.5,
      keep: { daily: 7, weekly: undefined },
      maxIncr: undefined,
    });
    expect(answer.settingsInEffect).toMatchObject([{ name: 'max_incr', source: SettingSource.HOST }]);
    expect(await call(running, HostServiceService.getHostDefaults, {})).toMatchObject({
      settings: [{ name: 'max_incr', values: ['10'], source: SettingSource.BUILT_IN }],
      origin: HostOrigin.DATABASE,
      configFile: '/etc/busy.yaml',
    });
    const page = { pageSize: 0, pageToken: '' };
    expect(await call(running, HostServiceService.listHosts, page)).toMatchObject({
      origin: HostOrigin.DATABASE,
    });
  });

  it('is told without commands, which may hold passwords, to whoever may not change it', async () => {
    const commands = { pre_command: 'mysqldump -pgeheim', post_command: 'rm /tmp/geheim' };
    const shown = 'mysqldump -pgeheim';
    const hidden = '(set; shown to admins only)';
    const inEffect = {
      name: 'pre_command',
      values: [shown],
      source: 'defaults' as const,
      allowed: 'a command',
    };
    for (const [role, hosts] of [
      ['viewer', null],
      ['operator', null],
      ['admin', new Set(['web1'])],
      ['admin', null],
    ] as const) {
      const identify = async () => ({ caller: { ...sampleCaller, role, hosts } });
      const access = { ...fakeParts().access, identify };
      const asked = registry([], commands);
      const defaults = { file: '/etc/busy.yaml', settings: [inEffect] };
      const place = { ...asked, defaults, settingsInEffect: () => [inEffect] };
      running = await startOnSocket({ access, registry: place });
      const answer = await call(running, HostServiceService.getHost, { name: 'web1' });
      const mayChange = role === 'admin' && hosts === null;
      expect(answer.settings).toMatchObject(
        mayChange
          ? { preCommand: commands.pre_command, postCommand: commands.post_command }
          : { preCommand: hidden, postCommand: hidden },
      );
      const seen = [{ name: 'pre_command', values: [mayChange ? shown : hidden] }];
      expect(answer.settingsInEffect).toMatchObject(seen);
      expect(await call(running, HostServiceService.getHostDefaults, {})).toMatchObject({
        settings: seen,
        configFile: hosts === null ? '/etc/busy.yaml' : '',
      });
      if (!mayChange) await running.close();
    }
  });

  it('is the file, when it is', async () => {
    running = await startOnSocket({});
    const answer = await call(running, HostServiceService.getHost, { name: 'web1' });
    expect(answer).toMatchObject({ origin: HostOrigin.FILE, etag: '', settings: undefined });
    const error = await failureOf(call(running, HostServiceService.deleteHost, { name: 'web1', etag: '' }));
    expect(error.code).toBe(status.FAILED_PRECONDITION);
    expect(error.details).toContain('/etc/busy.yaml');
    expect(errorInfoOf(error)).toMatchObject({ reason: 'HOSTS_IN_FILE' });
  });
});

describe('ReloadConfig', () => {
  it('answers what is in effect and what is not', async () => {
    const answer = { hostCount: 2, needsRestart: ['listen'] };
    running = await startOnSocket({ reload: async () => answer });
    expect(await call(running, DaemonServiceService.reloadConfig, {})).toEqual(answer);
  });

  it('says why a file is refused', async () => {
    const facts = { file: '/etc/busy.yaml', problems: '/etc/busy.yaml:3:1: hostz: is no setting' };
    running = await startOnSocket({ reload: () => Promise.reject(new BusyError('CONFIG_INVALID', facts)) });
    const error = await failureOf(call(running, DaemonServiceService.reloadConfig, {}));
    expect(error.code).toBe(status.FAILED_PRECONDITION);
    expect(error.details).toContain('hostz: is no setting');
    expect(errorInfoOf(error)).toMatchObject({ reason: 'CONFIG_INVALID' });
  });
});
