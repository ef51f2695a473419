/** Mail of the whole daemon: real backups that fail, a real mail server, and a stand-in for sendmail. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { openDatabase } from '../../src/store/data-source.js';
import { createOutboxStore } from '../../src/store/outbox.js';
import { MailBed, textOf, type Received } from '../notify/mail-bed.js';
import { standInForSendmail } from '../helpers/sendmail-stand-in.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

const recipient = 'admin@example.org';
let bed: TestBed;
let sshd: PrivateSshd;

async function startBed(hosts: readonly string[], mail: object): Promise<void> {
  sshd = await bed.startSshd();
  for (const name of [...hosts, 'rekeyed']) await writeFiles(join(bed.directory, name), { file: name });
  const hostFor = (name: string, settings = {}) =>
    bed.hostAt(sshd, { name, srcdirs: [join(bed.directory, name)], email: recipient, ...settings });
  const rekeyed = hostFor('rekeyed', {
    // Nothing listens at the first.
    addresses: ['127.0.0.9', '127.0.0.1'],
    host_key: `SHA256:${'A'.repeat(43)}`,
  });
  await bed.configure([...hosts.map((name) => hostFor(name)), rekeyed], {
    mail: { from: 'busy@example.org', ...mail },
  });
  await bed.startDaemon();
}

/** The host's source directory is away, or there again. */
async function breakHost(host: string): Promise<void> {
  await rename(join(bed.directory, host), join(bed.directory, `${host}-away`));
}

async function mendHost(host: string): Promise<void> {
  await rename(join(bed.directory, `${host}-away`), join(bed.directory, host));
}

async function backUp(host: string, state: RunState): Promise<Run> {
  const run = await bed.backUp(host);
  expect(run.state, JSON.stringify(run.error)).toBe(state);
  return run;
}

describe('mail through a mail server', () => {
  let server: MailBed;
  let port: number;

  beforeAll(async () => {
    bed = await TestBed.create();
    server = await MailBed.open();
    port = await server.listen();
    await startBed(['web1', 'web2', 'web3'], { transport: `smtp://127.0.0.1:${port}` });
  });
  afterAll(async () => {
    await bed.end();
    await server.close();
  });

  function subjects(): string[] {
    return server.received.map(({ message }) => subjectOf(message));
  }

  async function untilReceived(count: number): Promise<Received> {
    await until(
      () => server.received.length >= count,
      `${count} mails`,
      () => bed.daemonLog(),
    );
    const mail = server.received[count - 1];
    if (!mail) throw new Error('the mail is there');
    return mail;
  }

  it('comes once when a host starts to fail, with what happened, since when, and the last lines of the log', async () => {
    const good = await backUp('web1', RunState.SUCCEEDED);
    await breakHost('web1');
    const run = await backUp('web1', RunState.FAILED);
    const { from, to, message } = await untilReceived(1);
    expect({ from, to, subject: subjectOf(message) }).toEqual({
      from: 'busy@example.org',
      to: [recipient],
      subject: 'web1 FAILED (SOURCE_MISSING)',
    });
    const text = textOf(message);
    expect(text).toContain('The backup of host web1 failed.');
    expect(text).toContain('Reason: SOURCE_MISSING');
    expect(text).toContain(join(bed.directory, 'web1'));
    expect(text).toMatch(/Failing since: +\d{4}-\d\d-\d\d .*1 run/);
    expect(text).toContain(`Newest snapshot: ${good.snapshot}`);
    const [, lastLines = ''] = text.split('The last lines of its log:');
    expect(lastLines).toContain('ended: FAILED (SOURCE_MISSING');
    expect(text).toContain(`busy logs ${run.id}`);
  });

  it('tells of a changed host key, also where it is at one of several addresses', async () => {
    const run = await backUp('rekeyed', RunState.FAILED);
    expect(run.error?.reason).toBe('HOST_KEY_CHANGED');
    const { message } = await untilReceived(2);
    expect(subjectOf(message)).toBe('rekeyed FAILED (HOST_KEY_CHANGED)');
    expect(textOf(message)).toContain(sshd.fingerprint);
    expect(textOf(message)).toContain('busy enroll rekeyed --replace-key');
    server.received.splice(1);
  });

  it('does not come again while the host goes on failing, and once when it recovers', async () => {
    await backUp('web1', RunState.FAILED);
    await backUp('web1', RunState.FAILED);
    await mendHost('web1');
    const run = await backUp('web1', RunState.SUCCEEDED);
    const text = textOf((await untilReceived(2)).message);
    expect(text).toContain('The backups of host web1 succeed again.');
    expect(text).toMatch(/Had failed since: .*3 runs in a row/);
    expect(text).toContain(run.snapshot);
    await backUp('web1', RunState.SUCCEEDED);
    await breakHost('web2');
    await backUp('web2', RunState.FAILED);
    // They go out in order: whatever else had been written would have come before.
    await untilReceived(3);
    expect(subjects()).toEqual([
      'web1 FAILED (SOURCE_MISSING)',
      'web1 recovered',
      'web2 FAILED (SOURCE_MISSING)',
    ]);
  });

  it('is kept while the server is down, over a stop and a crash, and comes once when it is back', async () => {
    await server.stopServers();
    await breakHost('web3');
    const run = await backUp('web3', RunState.FAILED);
    await untilLogged('a mail could not be sent; it is kept');
    expect(await bed.stopDaemon()).toBe(0);
    await letTimePass();
    await bed.startDaemon();
    await untilLogged('a mail could not be sent; it is kept');
    expect(bed.daemonLog()).toContain('ECONNREFUSED');
    await bed.stopDaemon('SIGKILL');
    await letTimePass();
    server.received.length = 0;
    await server.listen({}, port);
    await bed.startDaemon();
    expect(textOf((await untilReceived(1)).message)).toContain(run.id);
    await untilLogged('mail sent');
    await bed.stopDaemon();
    await bed.startDaemon();
    await mendHost('web3');
    await backUp('web3', RunState.SUCCEEDED);
    await untilReceived(2);
    expect(subjects()).toEqual(['web3 FAILED (SOURCE_MISSING)', 'web3 recovered']);
  });

  it('is tried by busy mail-test, which says where it went or why it did not', async () => {
    server.received.length = 0;
    expect(await bed.busy(['mail-test'])).toMatchObject({
      code: 0,
      stdout: `A mail was sent to ${recipient}.\n`,
    });
    expect((await bed.busy(['mail-test', 'other@example.org'])).code).toBe(0);
    expect(server.received.map(({ to }) => to)).toEqual([[recipient], ['other@example.org']]);
    expect(subjects()).toEqual(['test of mail', 'test of mail']);
    await server.stopServers();
    const { code, stdout, stderr } = await bed.busy(['mail-test']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(`the mail server 127.0.0.1:${port}`);
    expect(stderr).toContain('ECONNREFUSED');
  });
});

describe('mail through sendmail', () => {
  beforeAll(async () => {
    bed = await TestBed.create();
  });
  afterAll(() => bed.end());

  it('is handed over for each host that starts to fail or recovers, and by busy mail-test', async () => {
    const sendmail = await standInForSendmail(bed);
    await startBed(['web1', 'web2'], { sendmail: sendmail.program });
    for (const host of ['web1', 'web2']) {
      await breakHost(host);
      await backUp(host, RunState.FAILED);
      await backUp(host, RunState.FAILED);
    }
    await mendHost('web1');
    await backUp('web1', RunState.SUCCEEDED);
    await until(
      async () => (await sendmail.mails()).length >= 3,
      'three mails',
      () => bed.daemonLog(),
    );
    expect((await bed.busy(['mail-test'])).code).toBe(0);
    const mails = await sendmail.mails();
    expect(mails.map(({ subject }) => subject)).toEqual([
      'web1 FAILED (SOURCE_MISSING)',
      'web2 FAILED (SOURCE_MISSING)',
      'web1 recovered',
      'test of mail',
    ]);
    expect(new Set(mails.map((mail) => mail.recipient))).toEqual(new Set([recipient]));
    expect(mails[1]?.text).toContain('Newest snapshot: none');
  });

  it('tells of a held snapshot, what there was before, and how to acknowledge it', async () => {
    const sendmail = await standInForSendmail(bed);
    const before = (await sendmail.mails()).length;
    await rm(join(bed.directory, 'web1/file'));
    const { snapshot } = await backUp('web1', RunState.PARTIAL);
    await until(
      async () => (await sendmail.mails()).length > before,
      'the mail',
      () => bed.daemonLog(),
    );
    const mail = (await sendmail.mails()).at(-1);
    expect(mail?.subject).toBe('web1 HELD');
    expect(mail?.text).toContain('has no files (is it mounted?); it had 1 file and 4 B, compared with');
    expect(mail?.text).toContain(`busy acknowledge web1 ${snapshot} --yes`);
    expect(mail?.text).not.toContain(`Newest snapshot: ${snapshot}`);
  });
});

function untilLogged(words: string): Promise<void> {
  return until(
    () => bed.daemonLog().includes(words),
    words,
    () => bed.daemonLog(),
  );
}

/** While no daemon runs: makes every mail that is kept due, as if its time had come. */
async function letTimePass(): Promise<void> {
  const database = await openDatabase({ kind: 'sqlite', path: join(bed.directory, 'state/busy.db') });
  try {
    const store = createOutboxStore(database);
    const mails = await store.due(new Date(Date.now() + 86_400_000));
    expect(mails.map(({ attempts }) => attempts)).toHaveLength(1);
    for (const { id, attempts } of mails) await store.postpone(id, attempts, new Date());
  } finally {
    await database.close();
  }
}

/** Without its beginning, which names the server. */
function subjectOf(message: string): string {
  const [head = ''] = message.split('\r\n\r\n');
  return /^Subject: \[busy\] \S+: (.*)$/m.exec(head.replace(/\r\n[ \t]+/g, ' '))?.[1]?.trim() ?? '';
}
