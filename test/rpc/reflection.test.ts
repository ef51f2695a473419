import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorInfo } from '../../src/gen/google/rpc/error_details.js';
import {
  type ServerReflectionRequest,
  type ServerReflectionResponse,
  ServerReflectionService,
} from '../../src/gen/grpc/reflection/v1/reflection.js';
import { descriptorFile, type Running, startServer } from './fixture.js';

const buf = path.resolve(import.meta.dirname, '../../node_modules/.bin/buf');

let running: Running;
let directory: string;
let socket: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'busy-refl-'));
  socket = path.join(directory, 's');
  running = await startServer();
  await running.server.listen([{ kind: 'unix', path: socket }]);
});
afterAll(async () => {
  await running.close();
  await rm(directory, { recursive: true });
});

/** Runs `buf curl` (another gRPC implementation) in an empty directory, so that it can only learn from the server. */
async function curl(...args: readonly string[]): Promise<string> {
  const known = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge'];
  const env = { PATH: process.env.PATH, HOME: directory };
  const { stdout } = await promisify(execFile)(buf, [...known, ...args], { cwd: directory, env });
  return stdout;
}

describe('a foreign client without our files', () => {
  it('lists the services', async () => {
    expect((await curl('--list-services', `http://${running.address}`)).trim().split('\n').sort()).toEqual([
      'busy.v1.ArchiveService',
      'busy.v1.AuditService',
      'busy.v1.BackupService',
      'busy.v1.DaemonService',
      'busy.v1.EnrollmentService',
      'busy.v1.HostService',
      'busy.v1.SnapshotService',
      'busy.v1.TokenService',
      'busy.v1.TrashService',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
    ]);
  });

  it('lists methods over the older reflection too', async () => {
    for (const version of ['grpc-v1', 'grpc-v1alpha']) {
      const methods = await curl(
        '--reflect-protocol',
        version,
        '--list-methods',
        `http://${running.address}`,
      );
      expect(methods.split('\n')).toContain('busy.v1.BackupService/StreamLogs');
    }
  });

  it('calls over TCP and over the unix socket', async () => {
    const request = ['-d', '{"pageSize": 2}'];
    const overTcp = await curl(...request, `http://${running.address}/busy.v1.HostService/ListHosts`);
    const overUnix = await curl(
      ...request,
      '--unix-socket',
      socket,
      'http://localhost/busy.v1.HostService/ListHosts',
    );
    const answer = JSON.parse(overTcp) as { hosts: { name: string }[]; nextPageToken: string };
    expect(answer.hosts.map((host) => host.name)).toEqual(['db1', 'web1']);
    expect(JSON.parse(overUnix)).toEqual(answer);
  });

  it('understands the details of an error', async () => {
    const failed = curl('-d', '{"name":"none"}', `http://${running.address}/busy.v1.HostService/GetHost`);
    const error = await failed.catch((thrown: { stderr: string }) => thrown.stderr);
    expect(error).toContain('There is no host \\"none\\".');
    const value = /"value": "([^"]+)"/.exec(error)?.[1] ?? '';
    expect(ErrorInfo.decode(Buffer.from(value, 'base64'))).toMatchObject({
      reason: 'HOST_NOT_FOUND',
      metadata: { host: 'none' },
    });
  });

  it('checks health, of the server and of each service', async () => {
    for (const service of ['', 'busy.v1.BackupService', 'busy.v1.HostService']) {
      const request = JSON.stringify({ service });
      const answer = await curl('-d', request, `http://${running.address}/grpc.health.v1.Health/Check`);
      expect(JSON.parse(answer)).toEqual({ status: 'SERVING' });
    }
  });
});

describe('one question', () => {
  it('is answered with the exact bytes of the descriptor set, imports included', async () => {
    const set = await readFile(descriptorFile);
    const [byName, bySymbol, byMethod] = await ask(
      { $case: 'fileByFilename', value: 'busy/v1/host_service.proto' },
      { $case: 'fileContainingSymbol', value: 'busy.v1.Host' },
      { $case: 'fileContainingSymbol', value: 'busy.v1.HostService.ListHosts' },
    );
    const files = byName?.messageResponse;
    if (files?.$case !== 'fileDescriptorResponse') throw new Error('No files were answered.');
    expect(files.value.fileDescriptorProto).toHaveLength(7);
    for (const bytes of files.value.fileDescriptorProto) expect(set.includes(bytes)).toBe(true);
    expect(bySymbol?.messageResponse).toEqual(files);
    expect(byMethod?.messageResponse).toEqual(files);
    expect(byName).toMatchObject({ validHost: 'h', originalRequest: { host: 'h' } });
  });

  it('without an answer gets NOT_FOUND, and the next one is still answered', async () => {
    const answers = await ask(
      { $case: 'fileContainingSymbol', value: 'busy.v1.None' },
      { $case: 'fileByFilename', value: '../../etc/passwd' },
      { $case: 'fileContainingExtension', value: { containingType: 'busy.v1.Host', extensionNumber: 1 } },
      { $case: 'allExtensionNumbersOfType', value: 'busy.v1.None' },
      undefined,
      { $case: 'allExtensionNumbersOfType', value: 'busy.v1.Host' },
    );
    expect(answers).toHaveLength(6);
    for (const answer of answers.slice(0, 5)) {
      expect(answer.messageResponse).toMatchObject({
        $case: 'errorResponse',
        value: { errorCode: status.NOT_FOUND },
      });
    }
    expect(answers[5]?.messageResponse).toMatchObject({ $case: 'allExtensionNumbersResponse' });
  });
});

it('a reader of health that stays is no reason not to stop', async () => {
  const other = await startServer();
  const client = new Client(other.address, credentials.createInsecure());
  const watch = client.makeServerStreamRequest('/grpc.health.v1.Health/Watch', keep, keep, Buffer.alloc(0));
  const statuses: number[] = [];
  const ended = new Promise<ServiceError>((resolve) => watch.once('error', resolve));
  await new Promise<void>((resolve) => {
    watch.on('data', (message: Buffer) => {
      statuses.push(message[1] ?? 0);
      resolve();
    });
  });
  await other.server.stop(200);
  await ended;
  client.close();
  expect(statuses).toEqual([1, 2]);
});

/** Asks all questions on one stream and ends it. */
async function ask(
  ...questions: ServerReflectionRequest['messageRequest'][]
): Promise<ServerReflectionResponse[]> {
  const client = new Client(running.address, credentials.createInsecure());
  const {
    path: method,
    requestSerialize,
    responseDeserialize,
  } = ServerReflectionService.serverReflectionInfo;
  const stream = client.makeBidiStreamRequest(method, requestSerialize, responseDeserialize);
  for (const messageRequest of questions) stream.write({ host: 'h', messageRequest });
  stream.end();
  const answers: ServerReflectionResponse[] = [];
  for await (const answer of stream as AsyncIterable<ServerReflectionResponse>) answers.push(answer);
  client.close();
  return answers;
}

function keep(bytes: Buffer): Buffer {
  return bytes;
}
