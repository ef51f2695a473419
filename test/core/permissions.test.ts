import { readFile } from 'node:fs/promises';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, type DescriptorProto } from '@bufbuild/protobuf/wkt';
import { beforeAll, describe, expect, it } from 'vitest';
import { permissionOf } from '../../src/control/authorization.js';
import { leastRole, permissions, roleFor, textOf } from '../../src/core/permissions.js';

const descriptorFile = new URL('../../src/gen/busy.binpb', import.meta.url);

/** These are served too, but their definitions are not ours. */
const beyondOurFiles = [
  '/grpc.health.v1.Health/List',
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
];

/** From the full name of each call to the message that it asks with. */
const calls = new Map<string, DescriptorProto | undefined>();

beforeAll(async () => {
  const set = fromBinary(FileDescriptorSetSchema, await readFile(descriptorFile));
  const messages = new Map(
    set.file.flatMap(({ package: name, messageType }) =>
      messageType.map((message) => [`.${name}.${message.name}`, message]),
    ),
  );
  for (const { package: name, service } of set.file)
    for (const { name: serviceName, method } of service)
      for (const { name: methodName, inputType } of method) {
        calls.set(`/${name}.${serviceName}/${methodName}`, messages.get(inputType));
      }
});

describe('the table of permissions', () => {
  it('has every call there is, and no other', () => {
    expect(calls.size).toBeGreaterThan(20);
    expect(Object.keys(permissions).sort()).toEqual([...calls.keys(), ...beyondOurFiles].sort());
  });

  it('opens nothing but health to strangers', () => {
    const open = Object.entries(permissions).filter(([, { role }]) => role === 'anyone');
    for (const [name] of open) expect(name).toMatch(/^\/grpc\.health\.v1\.Health\//);
    expect(open).toHaveLength(3);
  });

  it('names only fields that the requests have', () => {
    for (const [name, { hosts, roleWith }] of Object.entries(permissions)) {
      const fields = [
        roleWith?.field,
        ...(typeof hosts === 'string' ? [] : [hosts.host, hosts.otherHost, hosts.run]),
      ].filter((field) => field !== undefined);
      const known = calls.get(name)?.field.map(({ jsonName }) => jsonName) ?? [];
      for (const field of fields) expect(known, name).toContain(field);
    }
  });

  it('keeps limited callers to their hosts wherever a request names one', () => {
    for (const [name, request] of calls) {
      const rule = permissions[name]?.hosts;
      if (rule === 'all' || !name.startsWith('/busy.')) continue;
      const names = request?.field.map(({ jsonName }) => jsonName) ?? [];
      if (names.includes('host')) expect(rule, name).toMatchObject({ host: 'host' });
      if (names.includes('otherHost')) expect(rule, name).toMatchObject({ otherHost: 'otherHost' });
      if (names.includes('runId')) expect(rule, name).toMatchObject({ run: 'runId' });
      if (name.includes('.HostService/') && names.includes('name'))
        expect(rule, name).toEqual({ host: 'name' });
    }
  });
});

describe('the role of a request', () => {
  const trigger = permissionOf('/busy.v1.BackupService/TriggerBackup');
  const prune = permissionOf('/busy.v1.SnapshotService/PruneSnapshots');

  it('depends on what is asked for', () => {
    expect(roleFor(trigger, { host: 'web1', acceptChanges: false })).toBe('operator');
    expect(roleFor(trigger, { host: 'web1', acceptChanges: true })).toBe('admin');
    expect(roleFor(prune, { host: 'web1', dryRun: false })).toBe('admin');
    expect(roleFor(prune, { host: 'web1', dryRun: true })).toBe('viewer');
  });

  it('is at least that of its harmless form', () => {
    expect(leastRole(trigger)).toBe('operator');
    expect(leastRole(prune)).toBe('viewer');
  });

  it('reads only texts as names', () => {
    expect(textOf({ host: 'web1' }, 'host')).toBe('web1');
    expect(textOf({ host: 1 }, 'host')).toBe('');
    expect(textOf({}, undefined)).toBe('');
  });
});
