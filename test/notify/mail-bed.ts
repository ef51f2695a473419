/** A real mail server on loopback, a stand-in for sendmail, and certificates; all in a scratch directory. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Mail } from '../../src/core/mail.js';
import type { MailSettings } from '../../src/core/settings.js';

export interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly user: string | null;
  readonly isSecure: boolean;
  readonly message: string;
}

export const password = 'sécret word';

export function sampleMail(changes: Partial<Mail> = {}): Mail {
  return {
    id: '01JDTEST000000000000000001',
    recipient: 'root@example.org',
    subject: '[busy] backup1: web1 FAILED',
    text: 'First line\n.\nFrom here on\nGrüße 😀\n',
    createdAt: new Date('2026-11-22T20:00:05Z'),
    ...changes,
  };
}

/** The text of a message, decoded; headers and body are parted by the first empty line. */
export function textOf(message: string): string {
  const end = /\r?\n\r?\n/.exec(message);
  const [head, body] = [
    message.slice(0, end?.index),
    message.slice((end?.index ?? 0) + (end?.[0].length ?? 0)),
  ];
  if (/^Content-Transfer-Encoding: base64\r?$/im.test(head))
    return Buffer.from(body, 'base64').toString('utf8');
  if (!/^Content-Transfer-Encoding: quoted-printable\r?$/im.test(head)) return body;
  const bytes = body
    .replace(/=\r?\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

export class MailBed {
  readonly received: Received[] = [];
  private readonly servers: SMTPServer[] = [];

  private constructor(readonly directory: string) {}

  static async open(): Promise<MailBed> {
    const bed = new MailBed(await mkdtemp(join(tmpdir(), 'busy-mail-')));
    await writeFile(bed.passwordFile, `${password}\n`, { mode: 0o600 });
    return bed;
  }

  get passwordFile(): string {
    return join(this.directory, 'password');
  }

  settings(changes: Partial<MailSettings> = {}): MailSettings {
    return {
      from: 'busy@example.org',
      transport: { kind: 'sendmail' },
      sendmail: join(this.directory, 'sendmail'),
      user: '',
      passwordFile: this.passwordFile,
      digest: null,
      digestTo: [],
      ...changes,
    };
  }

  /** Starts a mail server and answers its port. */
  async listen(options: SMTPServerOptions = {}, port = 0): Promise<number> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onAuth: ({ username, password: given }, _, done) => {
        if (given === password) done(null, { user: username ?? '' });
        else done(new Error(`wrong password ${given} of ${username}`));
      },
      onData: (stream, session, done) => {
        const pieces: Buffer[] = [];
        stream.on('data', (piece: Buffer) => pieces.push(piece));
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope;
          this.received.push({
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            user: session.user === undefined ? null : String(session.user),
            isSecure: session.secure,
            message: Buffer.concat(pieces).toString('utf8'),
          });
          done();
        });
      },
      ...options,
    });
    // A client that does not trust the certificate breaks off.
    server.on('error', () => undefined);
    this.servers.push(server);
    const net = server.listen(port, '127.0.0.1');
    await new Promise<void>((resolve) => net.once('listening', resolve));
    return (net.address() as AddressInfo).port;
  }

  async stopServers(): Promise<void> {
    const closed = this.servers
      .splice(0)
      .map((server) => new Promise<void>((resolve) => server.close(resolve)));
    await Promise.all(closed);
  }

  /** Makes the stand-in for sendmail; it runs in the scratch directory. */
  async standIn(script: string): Promise<void> {
    await writeFile(join(this.directory, 'sendmail'), `#!/bin/sh\ncd '${this.directory}'\n${script}\n`, {
      mode: 0o755,
    });
  }

  read(name: string): Promise<string> {
    return readFile(join(this.directory, name), 'utf8');
  }

  /** A certificate for localhost and 127.0.0.1 that is its own authority. */
  async certificate(): Promise<{ key: string; cert: string; file: string }> {
    const [key, cert] = [join(this.directory, 'key.pem'), join(this.directory, 'cert.pem')];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const out = ['-keyout', key, '-out', cert];
    await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...names, ...out]);
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8'), file: cert };
  }

  async close(): Promise<void> {
    await this.stopServers();
    await rm(this.directory, { recursive: true });
  }
}
