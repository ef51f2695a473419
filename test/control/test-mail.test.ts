import { expect, it } from 'vitest';
import { sendTest } from '../../src/control/test-mail.js';
import { BusyError } from '../../src/core/errors.js';
import type { Mail } from '../../src/core/mail.js';
import { createMailWriter } from '../../src/notify/report.js';
import { mailHost } from '../helpers/mail-samples.js';

const never = new AbortController().signal;
const hosts = [
  mailHost({ name: 'a' }, { to: ['root', 'b@x'] }),
  mailHost({ name: 'b' }, { to: ['root'], when: 'never' }),
];

function parts(changes: { hosts?: typeof hosts; digestTo?: string[]; refused?: string } = {}) {
  const sent: Mail[] = [];
  const send = async (mail: Mail): Promise<void> => {
    if (mail.recipient === changes.refused) throw new BusyError('MAIL_FAILED', { recipient: mail.recipient });
    sent.push(mail);
  };
  return {
    sent,
    clock: { now: () => new Date('2026-11-22T20:00:05Z') },
    hosts: () => changes.hosts ?? hosts,
    settings: { digestTo: changes.digestTo ?? [] },
    writer: createMailWriter('backup1'),
    mailer: { send },
  };
}

it('sends to the address that was given', async () => {
  const given = parts();
  expect(await sendTest(given, 'admin@example.org', never)).toEqual(['admin@example.org']);
  expect(given.sent).toMatchObject([
    { recipient: 'admin@example.org', subject: '[busy] backup1: test of mail' },
  ]);
});

it('sends to every configured address once', async () => {
  const given = parts({ digestTo: ['boss', 'root'] });
  expect(await sendTest(given, '', never)).toEqual(['b@x', 'boss', 'root']);
  expect(given.sent.map(({ recipient }) => recipient)).toEqual(['b@x', 'boss', 'root']);
});

it.each(['a b', 'a@b\r\nBcc: c@d', '-oQ/tmp'])('refuses %j', async (to) => {
  const given = parts();
  await expect(sendTest(given, to, never)).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  expect(given.sent).toEqual([]);
});

it('says that there is nobody to send to, and that a mail did not get through', async () => {
  await expect(sendTest(parts({ hosts: [] }), '', never)).rejects.toMatchObject({ reason: 'MAIL_NOWHERE' });
  await expect(sendTest(parts({ refused: 'root' }), '', never)).rejects.toMatchObject({
    reason: 'MAIL_FAILED',
  });
});
