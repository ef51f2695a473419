/** Hosts that come and go: what the daemon sees of them, and what it makes of it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, connect, type Server } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PrivateSshd } from '../../clients/quickstart/private-sshd.js';
import { RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { untilCopying } from '../helpers/host-store.js';
import { standInForSendmail, type SendmailStandIn } from '../helpers/sendmail-stand-in.js';
import { TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

describe('hosts that come and go', () => {
  let bed: TestBed;
  let laptop: PrivateSshd;
  let other: PrivateSshd;
  let sendmail: SendmailStandIn;
  let stranger: Server;
  const at = (name: string): string => join(bed.directory, name);

  beforeAll(async () => {
    bed = await TestBed.create();
    laptop = await bed.startSshd();
    other = await bed.startSshd();
    sendmail = await standInForSendmail(bed);
    await writeFiles(at('slow'), { large: 9_000_000 });
    await mkdir(at('source'));
    await writeFile(at('source/file'), 'content');
    // Another machine has the laptop's second address by now.
    stranger = createServer((socket) => {
      const onward = connect(other.port, '127.0.0.1');
      onward.on('error', () => socket.destroy());
      socket.on('error', () => onward.destroy());
      socket.pipe(onward).pipe(socket);
    });
    stranger.listen(laptop.port, '127.0.0.2');
    await once(stranger, 'listening');
    await hangingNames();
    const source = { srcdirs: [at('source')], email: 'admin@example.org', retry_after: '4h' };
    const hanging = Array.from({ length: 20 }, (_, index) =>
      bed.hostAt(other, { ...source, name: `lost-${index}`, schedule: [], addresses: [`hangs-${index}`] }),
    );
    await bed.configure(
      [
        ...hanging,
        bed.hostAt(other, { ...source, name: 'myself', schedule: [], addresses: ['localhost'] }),
        bed.hostAt(laptop, {
          ...source,
          name: 'laptop',
          schedule: [],
          srcdirs: [at('slow')],
          bandwidth_limit: 1500,
          addresses: ['127.0.0.2', '127.0.0.1'],
        }),
        bed.hostAt(other, { ...source, name: 'broken', srcdirs: ['/none'] }),
      ],
      { mail: { sendmail: sendmail.program } },
    );
    // Its backup begins only when a test is there to see it.
    await laptop.stop();
    await bed.startDaemon({ PATH: `${at('bin')}:${process.env.PATH}` });
  });
  afterAll(async () => {
    stranger.close();
    await bed.end();
  });

  /** The system resolves no name that begins with "hangs": the question stays open. */
  async function hangingNames(): Promise<void> {
    await bed.writeProgram(
      'bin/getent',
      `#!/bin/sh\necho "$3" >> '${at('asked')}'\ncase $3 in hangs*) exec sleep 1000;; esac\nPATH='${process.env.PATH}' exec getent "$@"\n`,
    );
  }

  it('names whose lookup hangs delay no other, and are not asked for again meanwhile', async () => {
    const run = await untilRun('myself', ({ state }) => state === RunState.SUCCEEDED);
    expect(run.snapshot).not.toBe('');
    await until(async () => (await asked()).length === 21, 'all names to be asked for');
    expect(new Set(await asked()).size).toBe(21);
  });

  it('a laptop that is closed in mid-backup is backed up as soon as it is back, and nobody is told', async () => {
    await laptop.restart();
    const first = await untilRun('laptop', ({ state }) => state === RunState.RUNNING);
    await untilCopying(bed, first, { source: at('slow'), name: 'large', leastBytes: 100_000 });
    await laptop.kill();
    const broken = await bed.waitForRun(first.id);
    expect(broken).toMatchObject({ state: RunState.FAILED, error: { reason: 'HOST_WENT_AWAY' } });
    expect(broken.error?.message).toMatch(
      /^Host "laptop" went away in the middle of its backup: another machine answers at 127\.0\.0\.2 \(key SHA256:.*\); no SSH server answers at 127\.0\.0\.1\. The connection to host "laptop" was lost/,
    );
    const away = await bed.busy(['explain', 'laptop']);
    expect(away.stdout).toContain(
      `no: another machine answers at 127.0.0.2 (key ${other.fingerprint}); no SSH server answers at 127.0.0.1`,
    );
    expect(away.stdout).toMatch(/Failures +0 in a row\n/);
    expect(away.stdout).toMatch(/Waits for +the host to come online\n/);

    await laptop.restart();
    const next = await untilRun('laptop', ({ id }) => id !== first.id);
    expect((await bed.waitForRun(next.id)).state).toBe(RunState.SUCCEEDED);
    // They go out in order: what had been written of the laptop would have come before.
    expect((await bed.backUp('broken')).state).toBe(RunState.FAILED);
    await until(async () => (await sendmail.mails()).length > 0, 'a mail');
    expect((await sendmail.mails()).map(({ subject }) => subject)).toEqual([
      'broken FAILED (SOURCE_MISSING)',
    ]);
  });

  async function asked(): Promise<string[]> {
    return (await readFile(at('asked'), 'utf8').catch(() => '')).trim().split('\n');
  }

  async function untilRun(host: string, isReached: (run: Run) => boolean): Promise<Run> {
    let found: Run | null = null;
    const look = async (): Promise<boolean> => {
      const run = await bed.lastRun(host).catch(() => null);
      if (run && isReached(run)) found = run;
      return found !== null;
    };
    await until(look, `a run of ${host}`, () => bed.daemonLog());
    if (!found) throw new Error('the run is there');
    return found;
  }
});
