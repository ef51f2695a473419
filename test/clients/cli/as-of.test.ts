/** `--as-of` of the commands that do something with a snapshot: which one they name to the daemon. */
import type { sendUnaryData, ServerUnaryCall } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  GetArchiveResponse,
  VerifyArchiveResponse,
  ArchiveResponse,
  DeleteArchiveResponse,
} from '../../../src/gen/busy/v1/archive_service.js';
import {
  AcknowledgeSnapshotResponse,
  DeleteSnapshotResponse,
  DrillRestoreResponse,
  VerifySnapshotResponse,
} from '../../../src/gen/busy/v1/snapshot_service.js';
import { HoldReason } from '../../../src/gen/busy/v1/snapshot.js';
import { startFakeDaemon, type FakeDaemon } from './fake-daemon.js';
import { cli } from './harness.js';
import { sampleSnapshot } from './samples.js';

const time = '2026-11-01 12:00';
const heldFor = [HoldReason.fromPartial({ message: 'it is empty' })];

const isThen = (asOf: Date | undefined): boolean => asOf?.getTime() === new Date(2026, 10, 1, 12).getTime();
const at = (name: string, day: number, changes = {}) => ({
  ...sampleSnapshot(),
  host: 'web1',
  name,
  startedAt: new Date(2026, 10, day),
  ...changes,
});

let daemon: FakeDaemon;
let asked: object[];

/** Keeps what it is asked, and answers `response`. */
function keep<Request extends object, Response>(response: Response) {
  return ({ request }: ServerUnaryCall<Request, Response>, answer: sendUnaryData<Response>): void => {
    asked.push(request);
    answer(null, response);
  };
}

beforeEach(async () => {
  asked = [];
  daemon = await startFakeDaemon({
    getSnapshot: ({ request: { asOf } }, answer) =>
      answer(null, { snapshot: at(isThen(asOf) ? 'then' : 'another', 1) }),
    getArchive: ({ request: { host, asOf } }, answer) => {
      const name = isThen(asOf) ? 'then' : 'another';
      answer(null, GetArchiveResponse.fromPartial({ archive: { host, name } }));
    },
    listSnapshots: (_, answer) => {
      const snapshots = [at('newer', 3, { heldFor }), at('then', 1, { heldFor }), at('older', 1)];
      answer(null, { snapshots, nextPageToken: '' });
    },
    verifySnapshot: keep(VerifySnapshotResponse.create()),
    drillRestore: keep(DrillRestoreResponse.create()),
    deleteSnapshot: keep(DeleteSnapshotResponse.create()),
    acknowledgeSnapshot: keep(AcknowledgeSnapshotResponse.create()),
    archive: keep(ArchiveResponse.create()),
    verifyArchive: keep(VerifyArchiveResponse.create()),
    deleteArchive: keep(DeleteArchiveResponse.create()),
  });
});
afterEach(() => daemon.close());

test.each([
  [['verify', '--no-follow'], { name: 'then' }],
  [['drill'], { snapshot: 'then' }],
  [['delete', '--yes'], { name: 'then' }],
  [['acknowledge', '--yes'], { name: 'then' }],
  [['archive'], { name: 'then' }],
  [['archive-verify', '--no-follow'], { name: 'then' }],
  [['archive-delete', '--yes'], { name: 'then' }],
])('%j', async ([command = '', ...options], expected) => {
  const { exitCode, stderr } = await cli([command, 'web1', ...options, '--as-of', time], daemon);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(asked).toMatchObject([{ host: 'web1', ...expected }]);
  const named = await cli([command, 'web1/NAME', ...options, '--as-of', time], daemon);
  expect(named.exitCode).toBe(2);
  expect(asked).toHaveLength(1);
});
