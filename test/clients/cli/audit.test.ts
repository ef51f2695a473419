import { afterEach, beforeEach, expect, test } from 'vitest';
import { AuditEntry, AuditOutcome, VerifyAuditResponse } from '../../../src/gen/busy/v1/audit_service.js';
import { startFakeDaemon, type FakeDaemon } from './fake-daemon.js';
import { cli, type Result } from './harness.js';

const entry = AuditEntry.fromPartial({
  sequence: 7,
  at: new Date(2026, 10, 22, 20, 0, 5),
  caller: 'ann',
  role: 'operator',
  address: '192.0.2.7',
  call: 'DeleteSnapshot',
  host: 'web1',
  request: '{"host":"web1"}',
  outcome: AuditOutcome.OK,
});

let daemon: FakeDaemon;
let asked: unknown[];
let verdict: VerifyAuditResponse;

beforeEach(async () => {
  asked = [];
  verdict = VerifyAuditResponse.fromPartial({
    isWhole: true,
    lines: 1200,
    headSequence: 1200,
    headHash: 'ab12',
  });
  daemon = await startFakeDaemon({
    listAudit: ({ request }, answer) => {
      asked.push(request);
      const refused = {
        ...entry,
        caller: '',
        outcome: AuditOutcome.REFUSED,
        reason: 'TOKEN_REFUSED',
        message: 'No.',
      };
      answer(null, { entries: [entry, refused], nextPageToken: '' });
    },
    verifyAudit: ({ request }, answer) => {
      asked.push(request);
      answer(null, verdict);
    },
  });
});
afterEach(() => daemon.close());

const busy = (...argv: string[]): Promise<Result> => cli(argv, { endpoint: daemon.endpoint });

test('shows who did what, and asks for what is wanted only', async () => {
  const { stdout } = await busy('audit', '--host', 'web1', '--caller', 'ann', '--since', '2026-11-22 20:00');
  expect(stdout).toMatch(
    /2026-11-22 20:00:05 +ann +192\.0\.2\.7 +DeleteSnapshot +web1 +ok +\{"host":"web1"\}\n/,
  );
  expect(stdout).toMatch(/\(nobody known\) .* TOKEN_REFUSED +No\.\n/);
  expect(asked).toMatchObject([
    { host: 'web1', caller: 'ann', since: new Date(2026, 10, 22, 20), pageSize: 50 },
  ]);
});

test('says whether the log is whole, and that its end is found only by a noted hash', async () => {
  const whole = await busy('audit', '--verify');
  expect(whole.exitCode).toBe(0);
  expect(whole.stdout).toContain('The chain of 1,200 lines is whole.\nLine 1200 has the hash ab12\n');
  expect(whole.stdout).toContain('--noted HASH');
  verdict = VerifyAuditResponse.fromPartial({
    brokenFile: '/s/audit.log',
    brokenLine: 3,
    problem: 'it was changed',
  });
  const broken = await busy('audit', '--verify', '--noted', 'ab12');
  expect(broken).toMatchObject({ exitCode: 1, stdout: 'BROKEN /s/audit.log line 3: it was changed.\n' });
  expect(asked).toEqual([{ notedHash: '' }, { notedHash: 'ab12' }]);
});
