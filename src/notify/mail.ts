/**
 * Sends mails, through the local sendmail program or a mail server. The only file that knows nodemailer. Every
 * attempt opens its own connection and ends within a minute; certificates of mail servers are always checked.
 */
import { access, constants, readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import type * as Nodemailer from 'nodemailer';
import { BusyError } from '../core/errors.js';
import { isMailAddress } from '../core/mail-address.js';
import type { Mail, Mailer } from '../core/mail.js';
import type { MailSettings, MailTransport } from '../core/settings.js';
import { clean } from './mail-format.js';
import { handToSendmail } from './sendmail.js';

const limitMs = 60_000;

/** Only when there is a mail: it takes 10 MiB, and many a server sends none for months. */
const nodemailer = (): Promise<typeof Nodemailer> => import('nodemailer');

export interface MailerParts {
  readonly settings: MailSettings;
  /** Of this server; names the messages, and is the domain of a sender without one. */
  readonly hostname: string;
  /** How long one attempt may take. */
  readonly timeoutMs?: number;
}

/** The mailer of these settings. Does nothing until a mail is sent. */
export function createMailer({ settings, hostname, timeoutMs = limitMs }: MailerParts): Mailer {
  const { transport } = settings;
  return {
    send: async (mail, signal) => {
      const timeout = AbortSignal.timeout(timeoutMs);
      const either = AbortSignal.any([signal, timeout]);
      try {
        if (!isMailAddress(mail.recipient)) throw new Error('this is no bare mail address');
        if (transport.kind === 'sendmail')
          await sendLocally(settings, toMessage(settings, mail, hostname), either);
        else
          await withServer(
            settings,
            transport,
            (server) => server.sendMail(toMessage(settings, mail, hostname)),
            either,
          );
      } catch (error) {
        const late = `it was not taken within ${timeoutMs / 1000} seconds`;
        throw mailFailed(mail, settings, timeout.aborted ? late : messageOf(error), error);
      }
    },
  };
}

/** Whether mails could be handed over now: connects to the mail server and logs in, but sends nothing. Throws why not. */
export async function checkMailer({ settings, timeoutMs = limitMs }: MailerParts): Promise<void> {
  const { transport } = settings;
  if (transport.kind === 'sendmail') return access(settings.sendmail, constants.X_OK);
  const signal = AbortSignal.timeout(timeoutMs);
  await withServer(settings, transport, (server) => server.verify(), signal);
}

type Message = Nodemailer.SendMailOptions & {
  readonly envelope: { readonly from: string; readonly to: string };
};

function toMessage({ from, transport }: MailSettings, mail: Mail, hostname: string): Message {
  const domain = hostname.replace(/[^A-Za-z0-9.-]/g, '') || 'localhost';
  // sendmail knows what to make of a local name; a mail server does not.
  const isLocal = transport.kind === 'sendmail';
  const sender = from.includes('@') || isLocal ? from : `${from}@${domain}`;
  const senderDomain = sender.slice(sender.indexOf('@') + 1);
  const recipient =
    mail.recipient.includes('@') || isLocal ? mail.recipient : `${mail.recipient}@${senderDomain}`;
  return {
    envelope: { from: sender, to: recipient },
    from: { name: 'BUSY', address: sender },
    to: { name: '', address: recipient },
    subject: mail.subject,
    text: mail.text,
    date: mail.createdAt,
    messageId: `<${mail.id}@${domain}>`,
    // So that no vacation message answers.
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

async function sendLocally(settings: MailSettings, message: Message, signal: AbortSignal): Promise<void> {
  const { createTransport } = await nodemailer();
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'unix' });
  const { message: bytes } = await composer.sendMail(message);
  if (!Buffer.isBuffer(bytes)) throw new Error('the message could not be composed');
  await handToSendmail(settings.sendmail, message.envelope, bytes, signal);
}

/** Does `work` over a connection of its own to the mail server. */
async function withServer(
  settings: MailSettings,
  server: Extract<MailTransport, { kind: 'smtp' }>,
  work: (transport: Nodemailer.Transporter) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const password = settings.user === '' ? '' : await readPassword(settings.passwordFile);
  const { createTransport } = await nodemailer();
  signal.throwIfAborted();
  const socket = new Socket();
  const abort = (): void => void socket.destroy(new Error('the attempt was ended'));
  signal.addEventListener('abort', abort, { once: true });
  const transport = createTransport({
    host: server.host,
    port: server.port,
    secure: server.isTls,
    // A password never travels in the clear, except within this machine.
    requireTLS: !server.isTls && settings.user !== '' && !isLoopback(server.host),
    tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2' },
    socket,
    ...(settings.user !== '' && { auth: { user: settings.user, pass: password } }),
  });
  try {
    await work(transport).catch((error: unknown) => {
      // Without its cause, which may hold the password.
      throw new Error(withoutSecret(messageOf(error), settings.user, password));
    });
  } finally {
    signal.removeEventListener('abort', abort);
    transport.close();
    socket.destroy();
  }
}

async function readPassword(file: string): Promise<string> {
  if (file === '') throw new Error('there is a user for the login, but no password_file');
  return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
}

/** A server may repeat in its answer what it was told. */
function withoutSecret(text: string, user: string, password: string): string {
  if (password === '') return text;
  const encoded = [`\0${user}\0${password}`, password].map((secret) =>
    Buffer.from(secret).toString('base64'),
  );
  // The longer ones hold the shorter ones.
  return [...encoded, password].reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

function mailFailed(mail: Mail, settings: MailSettings, detail: string, cause: unknown): BusyError {
  const { transport } = settings;
  const way =
    transport.kind === 'sendmail' ? settings.sendmail : `the mail server ${transport.host}:${transport.port}`;
  const facts = { recipient: clean(mail.recipient), way, detail: clean(detail).replace(/\.+$/, '') };
  return new BusyError('MAIL_FAILED', facts, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
