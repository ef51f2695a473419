import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BusyError } from '../../src/core/errors.js';
import type { MailSettings } from '../../src/core/settings.js';
import { createMailer } from '../../src/notify/mail.js';
import { MailBed, password, sampleMail, textOf } from './mail-bed.js';

let bed: MailBed;
beforeEach(async () => {
  bed = await MailBed.open();
});
afterEach(() => bed.close());

const never = new AbortController().signal;

function smtp(port: number, changes: Partial<MailSettings> = {}, host = '127.0.0.1'): MailSettings {
  return bed.settings({ transport: { kind: 'smtp', host, port, isTls: false }, ...changes });
}

async function send(settings: MailSettings, mail = sampleMail(), signal = never): Promise<void> {
  await createMailer({ settings, hostname: 'backup1' }).send(mail, signal);
}

async function failureOf(settings: MailSettings, mail = sampleMail()): Promise<BusyError> {
  return send(settings, mail).then(
    () => {
      throw new Error('the mail was sent');
    },
    (error: BusyError) => error,
  );
}

function refuseRecipient(_: unknown, __: unknown, done: (error: Error) => void): void {
  done(Object.assign(new Error('No such user here'), { responseCode: 550 }));
}

describe('through a mail server', () => {
  it('a mail arrives as it was written', async () => {
    await send(smtp(await bed.listen()));
    expect(bed.received).toMatchObject([{ from: 'busy@example.org', to: ['root@example.org'], user: null }]);
    const message = bed.received[0]?.message ?? '';
    const [head = ''] = message.split('\r\n\r\n');
    expect(head.split('\r\n')).toEqual(
      expect.arrayContaining([
        'From: BUSY <busy@example.org>',
        'To: root@example.org',
        'Subject: [busy] backup1: web1 FAILED',
        'Date: Sun, 22 Nov 2026 20:00:05 +0000',
        'Message-ID: <01JDTEST000000000000000001@backup1>',
        'Auto-Submitted: auto-generated',
        'Content-Type: text/plain; charset=utf-8',
      ]),
    );
    expect(textOf(message)).toBe('First line\r\n.\r\nFrom here on\r\nGrüße 😀\r\n');
  });

  it('local names get a domain, which a mail server asks for', async () => {
    const mail = sampleMail({ recipient: 'root' });
    await send(smtp(await bed.listen(), { from: 'busy' }), mail);
    expect(bed.received).toMatchObject([{ from: 'busy@backup1', to: ['root@backup1'] }]);
    expect(bed.received[0]?.message).toMatch(/^From: BUSY <busy@backup1>\r\n/m);
    await send(smtp(await bed.listen()), mail);
    expect(bed.received[1]?.to).toEqual(['root@example.org']);
  });

  it('no text becomes a header or a recipient', async () => {
    const subject = '[busy] x\r\nBcc: victim@example.org\n\nbody';
    await send(smtp(await bed.listen()), sampleMail({ subject }));
    expect(bed.received[0]?.message).not.toMatch(/^Bcc:/im);
    expect(bed.received[0]?.to).toEqual(['root@example.org']);
    for (const recipient of ['a@b\r\nBcc: c@d', '-oQ/tmp', 'a@b, c@d']) {
      const failure = await failureOf(smtp(1), sampleMail({ recipient }));
      expect(failure.message).toContain('no bare mail address');
    }
  });

  it('logs in, with the password as it stands in the file now', async () => {
    const settings = smtp(await bed.listen({ allowInsecureAuth: true, authOptional: false }), {
      user: 'busy',
    });
    await send(settings);
    expect(bed.received).toMatchObject([{ user: 'busy', isSecure: false }]);
    await writeFile(bed.passwordFile, 'changed');
    expect((await failureOf(settings)).message).toContain('Invalid login');
  });

  it('never tells the password, even when the server does', async () => {
    const encoded = Buffer.from(`\0busy\0${password}X`).toString('base64');
    await writeFile(bed.passwordFile, `${password}X`);
    const onAuth = (_: unknown, __: unknown, done: (error: Error) => void): void =>
      done(new Error(`${password}X ${encoded} is wrong`));
    const port = await bed.listen({ allowInsecureAuth: true, onAuth });
    const failure = await failureOf(smtp(port, { user: 'busy' }));
    expect(failure.message).toContain('*** *** is wrong');
    expect(inspect(failure, { depth: 9 })).not.toContain(password);
    expect(inspect(failure, { depth: 9 })).not.toContain(encoded);
  });

  it('sends no password in the clear to another machine', async () => {
    // This address reaches the server on loopback, but is not known to be this machine.
    const port = await bed.listen({ allowInsecureAuth: true, authOptional: false });
    const failure = await failureOf(smtp(port, { user: 'busy' }, '0.0.0.0'));
    expect(failure.message).toMatch(/TLS/);
    expect(bed.received).toEqual([]);
  });

  it('without a password file says so', async () => {
    const failure = await failureOf(smtp(await bed.listen(), { user: 'busy', passwordFile: '' }));
    expect(failure.message).toContain('no password_file');
  });
});

describe('a failure says what happened', () => {
  it('when nothing listens', async () => {
    const port = await bed.listen();
    await bed.stopServers();
    const failure = await failureOf(smtp(port));
    expect(failure.reason).toBe('MAIL_FAILED');
    expect(failure.message).toContain(`the mail server 127.0.0.1:${port}`);
    expect(failure.message).toContain('ECONNREFUSED');
    expect(failure.advice).toContain('busy mail-test');
  });

  it('when the server refuses the recipient', async () => {
    const failure = await failureOf(smtp(await bed.listen({ onRcptTo: refuseRecipient })));
    expect(failure.message).toMatch(/root@example\.org could not be sent .*550 No such user here\.$/);
  });

  it('when the server says nothing, and when the daemon stops meanwhile', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const settings = smtp((silent.address() as AddressInfo).port);
    const mailer = createMailer({ settings, hostname: 'backup1', timeoutMs: 50 });
    await expect(mailer.send(sampleMail(), never)).rejects.toThrow('not taken within 0.05 seconds');

    const stop = new AbortController();
    silent.once('connection', () => stop.abort());
    await expect(send(settings, sampleMail(), stop.signal)).rejects.toMatchObject({ reason: 'MAIL_FAILED' });
    for (const socket of sockets) socket.destroy();
    silent.close();
    await once(silent, 'close');
  });
});

describe('the certificate of a mail server', () => {
  it.each([
    ['from the first byte', true],
    ['by STARTTLS', false],
  ])('is checked: %s', async (_, isTls) => {
    const { key, cert, file } = await bed.certificate();
    const port = await bed.listen({ key, cert, secure: isTls, disabledCommands: [], authOptional: false });
    const transport = { kind: 'smtp', host: '127.0.0.1', port, isTls } as const;
    const settings = bed.settings({ transport, user: 'busy' });
    expect((await failureOf(settings)).message).toContain('self-signed certificate');
    expect(await sendTrusting(file, settings)).toEqual({ code: 0, said: '' });
    expect(bed.received).toMatchObject([{ user: 'busy', isSecure: true }]);
  });

  it('must be for the name that was asked for', async () => {
    const { key, cert, file } = await bed.certificate();
    const port = await bed.listen({ key, cert, secure: true });
    const transport = { kind: 'smtp', host: '0.0.0.0', port, isTls: true } as const;
    expect(await sendTrusting(file, bed.settings({ transport }))).toEqual({
      code: 1,
      said: expect.stringMatching(/does not match/),
    });
  });
});

function sendTrusting(file: string, settings: MailSettings): Promise<{ code: number; said: string }> {
  const program = fileURLToPath(new URL('send-one.ts', import.meta.url));
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: file, MAIL_SETTINGS: JSON.stringify(settings) };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', program], { env }, (error, said) => {
      resolve({ code: error ? 1 : 0, said });
    });
  });
}
