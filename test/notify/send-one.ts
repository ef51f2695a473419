/** Sends one mail by the settings in the environment: trusted certificates are read when a process starts. */
import type { MailSettings } from '../../src/core/settings.js';
import { createMailer } from '../../src/notify/mail.js';
import { sampleMail } from './mail-bed.js';

const settings = JSON.parse(process.env.MAIL_SETTINGS ?? '') as MailSettings;
try {
  await createMailer({ settings, hostname: 'backup1' }).send(sampleMail(), new AbortController().signal);
} catch (error) {
  process.stdout.write(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
