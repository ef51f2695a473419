import { once } from 'node:events';
import { watch } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createMailer } from '../../src/notify/mail.js';
import { MailBed, sampleMail } from './mail-bed.js';

let bed: MailBed;
beforeEach(async () => {
  bed = await MailBed.open();
});
afterEach(() => bed.close());

const never = new AbortController().signal;

function mailer(timeoutMs = 60_000) {
  return createMailer({ settings: bed.settings({ from: 'busy' }), hostname: 'backup1', timeoutMs });
}

it('gets the message with line feeds, and each argument as it is', async () => {
  await bed.standIn('printf "%s\\n" "$@" > args; cat > message');
  await mailer().send(sampleMail({ recipient: 'root' }), never);
  expect(await bed.read('args')).toBe('-i\n-f\nbusy\nroot\n');
  const message = await bed.read('message');
  expect(message).not.toContain('\r');
  expect(message).toMatch(/^From: BUSY <busy>\n/m);
  expect(message).toMatch(/^To: <root>\n/m);
  expect(message).toMatch(/^Subject: \[busy\] backup1: web1 FAILED\n/m);
  expect(message).toMatch(/^Message-ID: <01JDTEST000000000000000001@backup1>\n/m);
});

it('that fails is quoted', async () => {
  await bed.standIn('cat > /dev/null; echo "queue is \u001b[1mfull" >&2; exit 75');
  await expect(mailer().send(sampleMail(), never)).rejects.toMatchObject({
    reason: 'MAIL_FAILED',
    message: expect.stringMatching(/sendmail ended with code 75: queue is \\x1b\[1mfull\.$/),
  });
});

it('that ends without reading a long message fails by its exit code', async () => {
  await bed.standIn('exit 3');
  const text = 'x'.repeat(70).concat('\n').repeat(20_000);
  await expect(mailer().send(sampleMail({ text }), never)).rejects.toThrow('ended with code 3');
});

it('that talks without end does not hang', async () => {
  await bed.standIn('cat > /dev/null; head -c 1000000 /dev/zero | tr "\\0" x >&2; exit 1');
  await expect(mailer().send(sampleMail(), never)).rejects.toThrow('ended with code 1');
});

it('that is not there is named', async () => {
  await expect(mailer().send(sampleMail(), never)).rejects.toThrow(/spawn .*sendmail ENOENT/);
});

it('that goes on in the background is not waited for', async () => {
  await bed.standIn('cat > message; sleep 1000 & echo $! > pid');
  await mailer().send(sampleMail(), never);
  const pid = Number(await bed.read('pid'));
  expect(isAlive(pid)).toBe(true);
  process.kill(pid, 'SIGKILL');
});

it('that hangs is killed with all that it started', async () => {
  await bed.standIn('sleep 1000 & echo $! > pid.new; mv pid.new pid; wait');
  const stop = new AbortController();
  const sending = mailer().send(sampleMail(), stop.signal);
  await fileAppears('pid');
  const pid = Number(await bed.read('pid'));
  stop.abort();
  await expect(sending).rejects.toMatchObject({ reason: 'MAIL_FAILED' });
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
});

it('that takes too long is given up', async () => {
  await bed.standIn('exec sleep 1000');
  await expect(mailer(50).send(sampleMail(), never)).rejects.toThrow('not taken within 0.05 seconds');
});

async function fileAppears(name: string): Promise<void> {
  const watcher = watch(bed.directory);
  try {
    while (!(await exists(join(bed.directory, name)))) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
