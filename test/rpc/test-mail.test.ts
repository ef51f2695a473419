import { status } from '@grpc/grpc-js';
import { afterEach, expect, it } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import { DaemonServiceService } from '../../src/gen/busy/v1/daemon_service.js';
import { call, errorInfoOf, failureOf, startServer, type Running } from './fixture.js';

let running: Running;
afterEach(() => running.close());

it('SendTestMail answers where the mail went', async () => {
  running = await startServer();
  const { sendTestMail } = DaemonServiceService;
  expect(await call(running, sendTestMail, { to: 'admin@example.org' })).toEqual({
    recipients: ['admin@example.org'],
  });
  expect(await call(running, sendTestMail, { to: '' })).toEqual({ recipients: ['root'] });
});

it('SendTestMail says why a mail did not get through', async () => {
  const facts = { recipient: 'root', way: '/usr/sbin/sendmail', detail: 'it ended with code 75' };
  running = await startServer({ sendTestMail: () => Promise.reject(new BusyError('MAIL_FAILED', facts)) });
  const error = await failureOf(call(running, DaemonServiceService.sendTestMail, { to: '' }));
  expect(error.code).toBe(status.FAILED_PRECONDITION);
  expect(error.details).toContain('it ended with code 75');
  expect(errorInfoOf(error)).toMatchObject({ reason: 'MAIL_FAILED' });
});
