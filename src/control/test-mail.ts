/** Sends a mail at once, so that an administrator sees whether mails get through. */
import { ulid } from 'ulid';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { isMailAddress } from '../core/mail-address.js';
import type { Mailer, MailWriter } from '../core/mail.js';
import type { Clock } from '../core/ports.js';
import type { MailSettings } from '../core/settings.js';

export interface TestMailParts {
  readonly clock: Clock;
  readonly hosts: () => readonly Host[];
  readonly settings: Pick<MailSettings, 'digestTo'>;
  readonly writer: Pick<MailWriter, 'test'>;
  readonly mailer: Mailer;
}

/**
 * Sends a test mail to `to`, or, where it is empty, to every address that the configuration names, and answers the
 * recipients. Nothing is kept or tried again. Throws INVALID_ARGUMENT, MAIL_NOWHERE, or MAIL_FAILED at the first
 * recipient that could not be reached.
 */
export async function sendTest(parts: TestMailParts, to: string, signal: AbortSignal): Promise<string[]> {
  const recipients = to === '' ? configuredAddresses(parts) : [checked(to)];
  if (recipients.length === 0) throw new BusyError('MAIL_NOWHERE');
  const createdAt = parts.clock.now();
  const text = parts.writer.test(createdAt);
  for (const recipient of recipients) {
    await parts.mailer.send({ ...text, id: ulid(createdAt.getTime()), recipient, createdAt }, signal);
  }
  return recipients;
}

function configuredAddresses({ hosts, settings }: TestMailParts): string[] {
  return [...new Set([...hosts().flatMap(({ mail }) => mail.to), ...settings.digestTo])].sort();
}

function checked(address: string): string {
  if (isMailAddress(address)) return address;
  throw new BusyError('INVALID_ARGUMENT', {
    field: 'to',
    problem: 'is no mail address',
    allowed: 'Give one address, such as admin@example.org or root, or none for all that are configured.',
  });
}
