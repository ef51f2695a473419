import { beforeEach, describe, expect, it } from 'vitest';
import { Access, type Approach } from '../../src/control/access.js';
import { authorize, authorizeRestore, permissionOf, refuseAtOnce } from '../../src/control/authorization.js';
import type { Caller, Role } from '../../src/core/caller.js';
import type { AccessSettings } from '../../src/core/settings.js';
import { TokenMemory } from '../helpers/token-memory.js';

let memory: TokenMemory;
let settings: AccessSettings;
let warned: Readonly<Record<string, unknown>>[];
let access: Access;

beforeEach(() => {
  memory = new TokenMemory();
  settings = {
    socketRole: 'admin',
    certificates: { alice: { role: 'operator', hosts: ['web1'] }, bob: { role: 'viewer', hosts: null } },
  };
  warned = [];
  const log = { warn: (_: string, fields: Readonly<Record<string, unknown>>) => void warned.push(fields) };
  access = new Access({
    tokens: memory.tokens,
    settings: () => settings,
    clock: { now: () => memory.now },
    log,
  });
});

const listHosts = '/busy.v1.HostService/ListHosts';

function from(changes: Partial<Approach>): Approach {
  const stranger = { way: 'tcp', address: '192.0.2.1', authorization: '', certificate: null } as const;
  return { method: listHosts, ...stranger, ...changes };
}

function certificate(name: string, expiresAt = new Date(1_796_000_000_000)): Approach['certificate'] {
  return { name, fingerprint: 'AB:CD', expiresAt };
}

async function callerOf(approach: Partial<Approach>): Promise<Caller> {
  const found = await access.identify(from(approach));
  if ('caller' in found) return found.caller;
  throw found.refusal;
}

describe('who calls', () => {
  it('is nobody on a TCP port without a token or a certificate', async () => {
    expect(await access.identify(from({}))).toMatchObject({
      refusal: { reason: 'NOT_AUTHENTICATED', status: 'UNAUTHENTICATED' },
      delayMs: 0,
    });
  });

  it('is whoever may open the unix socket, with the role that is set', async () => {
    settings = { ...settings, socketRole: 'operator' };
    expect(await callerOf({ way: 'unix', address: '' })).toMatchObject({
      name: 'socket',
      role: 'operator',
      hosts: null,
    });
  });

  it('is the holder of the token, also on the socket, where it makes him less', async () => {
    const authorization = `Bearer ${await memory.make({ hosts: ['web1'] })}`;
    for (const way of ['unix', 'tcp'] as const)
      expect(await callerOf({ way, authorization })).toMatchObject({
        name: 'alice',
        role: 'viewer',
        hosts: new Set(['web1']),
      });
  });

  it('is never looked up elsewhere when the token is wrong', async () => {
    const wrong = {
      authorization: 'Bearer nonsense',
      certificate: certificate('alice'),
      way: 'unix',
    } as const;
    expect(await access.identify(from(wrong))).toMatchObject({ refusal: { reason: 'TOKEN_REFUSED' } });
  });

  it('is the name in a certificate, where it is known and has not expired', async () => {
    expect(await callerOf({ certificate: certificate('alice') })).toMatchObject({
      name: 'alice',
      role: 'operator',
      hosts: new Set(['web1']),
    });
    for (const bad of [
      certificate('mallory'),
      certificate('constructor'),
      certificate(''),
      certificate('alice', memory.now),
    ])
      await expect(callerOf({ certificate: bad })).rejects.toMatchObject({ reason: 'CERTIFICATE_UNKNOWN' });
    expect(warned.map(({ caller: name, reason }) => `${reason as string} ${name as string}`)).toEqual(
      ['mallory', 'constructor', '', 'alice'].map((name) => `CERTIFICATE_UNKNOWN ${name}`),
    );
  });

  it('waits longer for each wrong token, and the log is not filled by it', async () => {
    const delays: number[] = [];
    for (let index = 0; index < 100; index++) {
      const found = await access.identify(from({ authorization: 'Bearer nonsense' }));
      if ('delayMs' in found) delays.push(found.delayMs);
    }
    expect(delays.slice(0, 3)).toEqual([250, 500, 1000]);
    expect(warned.map(({ count }) => count)).toEqual([1, 2, 4, 8, 16, 32, 64]);
    expect(JSON.stringify(warned)).not.toContain('nonsense');
    expect(await callerOf({ authorization: `Bearer ${await memory.make()}` })).toMatchObject({
      name: 'alice',
    });
  });

  it('is confirmed as long as he would be let in again', async () => {
    const holder = await callerOf({ authorization: `bearer ${await memory.make()}` });
    const alice = await callerOf({ certificate: certificate('alice') });
    for (const each of [holder, alice]) access.confirm(each);
    await memory.tokens.revoke('alice');
    settings = { ...settings, certificates: { alice: { role: 'viewer', hosts: ['web1'] } } };
    for (const each of [holder, alice]) expect(() => access.confirm(each)).toThrow();
  });
});

describe('what he may do', () => {
  const runs = { R1: { host: 'web1' }, R2: { host: 'db1' } };
  const getRun = async (id: string): Promise<{ host: string }> => runs[id as keyof typeof runs];
  const ask = (who: Caller, method: string, request: object): Promise<void> =>
    authorize({ caller: who, method: `/busy.v1.${method}`, request }, getRun);

  it('is what his role reaches; the refusal names both roles', async () => {
    await expect(
      ask(caller('viewer'), 'BackupService/TriggerBackup', { host: 'web1' }),
    ).rejects.toMatchObject({
      status: 'PERMISSION_DENIED',
      message: 'TriggerBackup needs the role operator, but "alice" has the role viewer.',
    });
    await ask(caller('operator'), 'BackupService/TriggerBackup', { host: 'web1', acceptChanges: false });
    const accepting = { host: 'web1', acceptChanges: true };
    await expect(ask(caller('operator'), 'BackupService/TriggerBackup', accepting)).rejects.toMatchObject({
      reason: 'ROLE_TOO_LOW',
    });
    await ask(caller('admin'), 'BackupService/TriggerBackup', accepting);
  });

  it('reaches the hosts of his limit; others do not exist for him, nor do their runs', async () => {
    const limited = caller('admin', ['web1']);
    for (const [method, good, bad] of [
      ['HostService/GetHost', { name: 'web1' }, { name: 'db1' }],
      ['SnapshotService/ListSnapshots', { host: 'web1' }, { host: 'db1' }],
      ['SnapshotService/AcknowledgeSnapshot', { host: 'web1' }, { host: 'db1' }],
    ] as const) {
      await ask(limited, method, good);
      await expect(ask(limited, method, bad)).rejects.toMatchObject({
        reason: 'HOST_NOT_FOUND',
        message: 'There is no host "db1".',
      });
    }
    await ask(limited, 'BackupService/CancelRun', { id: 'R1' });
    await ask(limited, 'BackupService/WatchRuns', { host: '', runId: '' });
    for (const [method, request] of [
      ['BackupService/CancelRun', { id: 'R2' }],
      ['BackupService/StreamLogs', { runId: 'R2' }],
      ['BackupService/WatchRuns', { host: 'web1', runId: 'R2' }],
    ] as const)
      await expect(ask(limited, method, request)).rejects.toMatchObject({ reason: 'RUN_NOT_FOUND' });
  });

  it('is a restore to where the files came from; elsewhere needs more', () => {
    const elsewhere = { kind: 'host', host: 'db1', directory: '/tmp' } as const;
    const onServer = { kind: 'local', directory: '/tmp' } as const;
    authorizeRestore(caller('operator'), { kind: 'original' });
    for (const target of [elsewhere, onServer]) {
      expect(() => authorizeRestore(caller('operator'), target)).toThrow(
        /to another place needs the role admin/,
      );
      authorizeRestore(caller('admin'), target);
    }
    expect(() => authorizeRestore(caller('admin', ['web1']), elsewhere)).toThrow('There is no host "db1".');
    expect(() => authorizeRestore(caller('admin', ['web1']), onServer)).toThrow(/is limited to web1/);
    authorizeRestore(caller('admin', ['db1']), elsewhere);
  });

  it('is nothing that reaches all hosts, when he is limited to some', () => {
    const method = '/busy.v1.TokenService/CreateToken';
    expect(() => refuseAtOnce(method, permissionOf(method), caller('admin', ['web1']))).toThrow(
      'CreateToken reaches all hosts, but "alice" is limited to web1.',
    );
    refuseAtOnce(method, permissionOf(method), caller('admin'));
  });

  it('is nothing that the table does not know', () => {
    for (const method of ['/busy.v1.HostService/Nonsense', 'constructor', ''])
      expect(() => permissionOf(method)).toThrow(/so nobody may/);
  });
});

function caller(role: Role, hosts: readonly string[] | null = null): Caller {
  return {
    name: 'alice',
    role,
    hosts: hosts && new Set(hosts),
    proof: { kind: 'token', id: 'x' },
    address: '',
  };
}
