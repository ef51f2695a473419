import { status } from '@grpc/grpc-js';
import { afterEach, expect, it } from 'vitest';
import { refusal, startFakeDaemon, type Answers, type FakeDaemon } from './fake-daemon.js';
import { cli, type Result } from './harness.js';

let daemon: FakeDaemon;
afterEach(() => daemon.close());

async function busy(argv: string[], sendTestMail: NonNullable<Answers['sendTestMail']>): Promise<Result> {
  daemon = await startFakeDaemon({ sendTestMail });
  return cli(argv, { endpoint: daemon.endpoint });
}

it('mail-test names where the mail went', async () => {
  const result = await busy(['mail-test', 'admin@example.org'], ({ request }, answer) =>
    answer(null, { recipients: [request.to] }),
  );
  expect(result).toEqual({ exitCode: 0, stdout: 'A mail was sent to admin@example.org.\n', stderr: '' });
});

it('mail-test without an address leaves them to the daemon', async () => {
  const result = await busy(['mail-test', '--json'], ({ request }, answer) =>
    answer(null, { recipients: [`<${request.to}>`, 'root'] }),
  );
  expect(JSON.parse(result.stdout)).toEqual({ recipients: ['<>', 'root'] });
});

it('mail-test tells why a mail did not get through', async () => {
  const said = 'The mail to root could not be sent.';
  const result = await busy(['mail-test'], (_, answer) =>
    answer(refusal(status.FAILED_PRECONDITION, 'MAIL_FAILED', said, 'Check the section mail.')),
  );
  expect(result).toEqual({
    exitCode: 1,
    stdout: '',
    stderr: `busy: ${said}\n  Check the section mail.\n  (MAIL_FAILED)\n`,
  });
});
