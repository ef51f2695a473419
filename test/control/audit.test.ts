import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Audit } from '../../src/control/audit.js';
import { listAudit, type AuditEntry, type AuditFilter } from '../../src/control/audit-trail.js';
import { describeRequest, type AuditLog } from '../../src/core/audit.js';
import type { Caller } from '../../src/core/caller.js';
import { BusyError } from '../../src/core/errors.js';
import { changesSomething, permissions } from '../../src/core/permissions.js';
import { createAuditLog } from '../../src/store/audit-log.js';
import { ManualClock } from '../helpers/control-bed.js';

const ann: Caller = {
  name: 'ann',
  role: 'operator',
  hosts: null,
  proof: { kind: 'token', id: 't1' },
  address: '192.0.2.7',
};
const deletion = {
  method: '/busy.v1.SnapshotService/DeleteSnapshot',
  request: { host: 'web1', name: '2026-11-22_20-00-05f', confirm: '' },
  caller: ann,
};
const everything: AuditFilter = { host: null, caller: null, since: null, before: null, limit: 100 };

let directory: string;
let clock: ManualClock;
let log: AuditLog;
let audit: Audit;
let errors: unknown[];
let broken: Error | null;

async function hostOfRun(run: string): Promise<string> {
  return run === 'R1' ? 'db1' : '';
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-audit-'));
  clock = new ManualClock();
  broken = null;
  errors = [];
  const real = createAuditLog({ stateDir: directory, clock, makeRoom: () => false });
  log = {
    ...real,
    append: (event) => (broken ? Promise.reject(broken) : real.append(event)),
  };
  audit = new Audit({ log, clock, hostOfRun, onError: (_, error) => void errors.push(error) });
  await audit.start();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const list = (changes: Partial<AuditFilter> = {}): Promise<readonly AuditEntry[]> =>
  listAudit(log, { ...everything, ...changes });

const sequences = async (filter: Partial<AuditFilter>): Promise<number[]> =>
  (await list(filter)).map(({ sequence }) => sequence);

describe('a call that changes something', () => {
  test('is written down before it is carried out, and again when it has ended', async () => {
    const end = await audit.begin(deletion);
    expect(await list()).toMatchObject([{ call: 'DeleteSnapshot', outcome: 'unknown', endedAt: null }]);
    clock.advance(5000);
    await end(null);
    expect(await list()).toEqual([
      {
        sequence: 2,
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        at: new Date(clock.now().getTime() - 5000),
        caller: { name: 'ann', role: 'operator', address: '192.0.2.7', tokenId: 't1' },
        call: 'DeleteSnapshot',
        host: 'web1',
        request: '{"host":"web1","name":"2026-11-22_20-00-05f","confirm":""}',
        outcome: 'ok',
        endedAt: clock.now(),
        reason: '',
        message: '',
        runId: '',
        result: '',
        omitted: 0,
      },
    ]);
  });

  test('that fails or is refused has its reason', async () => {
    const end = await audit.begin(deletion);
    await end(new BusyError('HOST_BUSY', { host: 'web1', run: 'R9' }));
    await audit.refuse(deletion, new BusyError('HOST_NOT_FOUND', { host: 'web1' }));
    const tooLow = { method: 'DeleteHost', needed: 'admin', caller: 'bob', role: 'viewer' };
    const turnedAway = new BusyError('ROLE_TOO_LOW', tooLow);
    await audit.turnAway('/busy.v1.HostService/DeleteHost', { address: '192.0.2.8' }, turnedAway);
    await audit.turnAway(
      '/busy.v1.HostService/DeleteHost',
      { address: '192.0.2.9' },
      new BusyError('TOKEN_REFUSED'),
    );
    expect(await list()).toMatchObject([
      { caller: { name: '', address: '192.0.2.9' }, outcome: 'refused', reason: 'TOKEN_REFUSED' },
      {
        caller: { name: 'bob', role: 'viewer' },
        call: 'DeleteHost',
        outcome: 'refused',
        reason: 'ROLE_TOO_LOW',
      },
      { caller: { name: 'ann' }, host: 'web1', outcome: 'refused', reason: 'HOST_NOT_FOUND' },
      { outcome: 'failed', reason: 'HOST_BUSY', message: expect.stringContaining('R9') },
    ]);
  });

  test('is refused when it cannot be written down, and what was to be told of others is told later', async () => {
    const end = await audit.begin(deletion);
    broken = new Error('ENOSPC: no space left on device');
    await end(null);
    await audit.note('RemoveSnapshot', 'web1', { snapshot: 'x', message: 'no rule keeps it' });
    expect(errors).toHaveLength(2);
    await expect(audit.begin(deletion)).rejects.toMatchObject({
      reason: 'AUDIT_UNAVAILABLE',
      facts: { call: 'DeleteSnapshot', file: join(directory, 'audit.log'), detail: broken.message },
    });
    broken = null;
    await audit.begin(deletion);
    expect((await list()).map(({ call, outcome }) => `${call} ${outcome}`)).toEqual([
      'DeleteSnapshot unknown',
      'RemoveSnapshot ok',
      'DeleteSnapshot ok',
    ]);
  });

  test('has the run that it started, and what came of it, but never a new token', async () => {
    const method = '/busy.v1.BackupService/TriggerBackup';
    const end = await audit.begin({ method, request: { host: 'web1' }, caller: ann });
    await end(null, { run: { id: 'R7', host: 'web1' } });
    const put = { id: 'T1', kind: 1, host: 'db1', snapshot: '2026-11-22_20-00-05f' };
    const restore = { method: '/busy.v1.TrashService/RestoreFromTrash', request: { id: 'T1' }, caller: ann };
    await (
      await audit.begin(restore)
    )(null, { entry: put });
    const create = { method: '/busy.v1.TokenService/CreateToken', request: { name: 'x' }, caller: ann };
    await (
      await audit.begin(create)
    )(null, { token: { id: 'abc', name: 'x' }, secret: 'busy_abc_geheim' });
    expect(await list()).toMatchObject([
      { call: 'CreateToken', result: '{"tokenId":"abc","name":"x"}' },
      { call: 'RestoreFromTrash', host: 'db1', result: expect.stringContaining(put.snapshot) as string },
      { call: 'TriggerBackup', runId: 'R7', result: '' },
    ]);
    expect(await readFile(join(directory, 'audit.log'), 'utf8')).not.toContain('geheim');
  });

  test('of somebody whose token has expired still has his name, and for whom a gateway says it calls', async () => {
    const facts = { name: 'ann', expiredAt: '2026-11-01T00:00:00.000Z' };
    const from = { address: '', saidAddress: '192.0.2.50' };
    await audit.turnAway(deletion.method, from, new BusyError('TOKEN_EXPIRED', facts));
    await audit.begin({ ...deletion, caller: { ...ann, saidAddress: '192.0.2.51' } });
    expect((await list()).map(({ caller }) => caller)).toEqual([
      { name: 'ann', role: 'operator', address: '192.0.2.7', tokenId: 't1', saidAddress: '192.0.2.51' },
      { name: 'ann', role: '', address: '', saidAddress: '192.0.2.50' },
    ]);
  });

  test('of a run is about its host', async () => {
    const method = '/busy.v1.BackupService/CancelRun';
    for (const id of ['R1', 'R2']) await audit.begin({ method, request: { id }, caller: ann });
    expect((await list()).map(({ host }) => host)).toEqual(['', 'db1']);
  });
});

test('what the daemon removes by itself is its own', async () => {
  await audit.note('RemoveSnapshot', 'web1', { snapshot: 'x', message: 'no rule keeps it' });
  expect(await list()).toMatchObject([
    { caller: { name: 'busyd' }, request: '{"snapshot":"x"}', message: 'no rule keeps it', outcome: 'ok' },
  ]);
});

test('a list can be limited to a host, a caller, a time, and a page', async () => {
  for (const host of ['web1', 'web2', 'web1']) {
    clock.advance(1000);
    await (
      await audit.begin({ ...deletion, request: { host } })
    )(null);
  }
  await audit.note('RemoveSnapshot', 'web1', { message: '' });
  expect(await sequences({})).toEqual([8, 6, 4, 2]);
  expect(await sequences({ host: 'web2' })).toEqual([4]);
  expect(await sequences({ caller: 'busyd' })).toEqual([8]);
  expect(await sequences({ since: clock.now() })).toEqual([8, 6]);
  expect(await sequences({ limit: 2 })).toEqual([8, 6]);
  expect(await sequences({ limit: 2, before: 6 })).toEqual([4, 2]);
});

test('strangers cannot fill the disk: of many refusals in a minute the rest is only counted', async () => {
  const refusal = new BusyError('TOKEN_REFUSED');
  for (let count = 0; count < 100; count++)
    await audit.turnAway(deletion.method, { address: '192.0.2.9' }, refusal);
  expect(await list({ limit: 1000 })).toHaveLength(60);
  clock.advance(60_000);
  await audit.turnAway(deletion.method, { address: '192.0.2.9' }, refusal);
  expect((await list())[0]).toMatchObject({ omitted: 40 });
  expect((await readFile(join(directory, 'audit.log'), 'utf8')).split('\n')).toHaveLength(63);
});

describe('a request is told of', () => {
  test('without secrets', () => {
    const request = {
      name: 'web1',
      password: 'hunter2',
      settings: { preCommand: 'mysqldump -phunter2', postCommand: '', user: 'root', sudoPassword: 'hunter2' },
      bytes: new Uint8Array(3),
    };
    expect(describeRequest(request)).toBe(
      '{"name":"web1","password":"(not shown)","settings":{"preCommand":"(not shown)","postCommand":"","user":"root","sudoPassword":"(not shown)"},"bytes":"(3 bytes)"}',
    );
  });

  test('in bounded length', () => {
    expect(describeRequest({ text: 'x'.repeat(1000) })).toHaveLength(214);
    expect(describeRequest({ list: Array.from({ length: 100 }, () => 1) })).toContain('"and 80 more"');
    const paths = Array.from({ length: 300 }, (_, index) => `/srv/${'long/'.repeat(30)}${index}`);
    const described = describeRequest({ host: 'web1', paths });
    expect(described.length).toBeLessThanOrEqual(2000);
    expect(described).toMatch(/"and 2\d\d more"\]\}$/);
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`field${index}`, 'x'.repeat(100)]),
    );
    expect(describeRequest(many)).toHaveLength(2003);
  });
});

describe('the table of calls', () => {
  const reads =
    /\/(Get|List|Watch|Stream|Find|Diff|Compare|Explain|Probe|Scan|Measure|Check|Verify(Audit)|ServerReflection)/;

  test.each(Object.keys(permissions))('says whether %s changes something', (method) => {
    expect(changesSomething(method)).toBe(!reads.test(method));
  });

  test('knows that a trial changes nothing', () => {
    const method = '/busy.v1.SnapshotService/PruneSnapshots';
    expect(changesSomething(method, { dryRun: true })).toBe(false);
    expect(changesSomething(method, { dryRun: false })).toBe(true);
  });
});
