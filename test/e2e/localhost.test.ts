import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { expectBackup } from '../helpers/stock.js';
import { TestBed } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

describe('BUSY will backup itself (the host it is running on) - just configure `localhost` as a client', () => {
  let bed: TestBed;
  const source = (): string => join(bed.directory, 'source');

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    await writeFiles(source(), { file: 'content', 'deep/file': 5000 });
    const { addresses: _, ...settings } = bed.hostAt(sshd, { name: 'localhost', srcdirs: [source()] });
    await bed.configure(
      [
        { ...settings, hostname: 'localhost' },
        { ...settings, name: 'only-a-name', addresses: ['localhost'] },
        // Its own database is written to while it is read.
        {
          ...settings,
          name: 'its-own-state',
          addresses: ['localhost'],
          srcdirs: [join(bed.directory, 'state')],
        },
        {
          ...settings,
          name: 'its-own-keys',
          addresses: ['localhost'],
          srcdirs: [join(bed.directory, 'state/keys')],
        },
        { ...settings, name: 'all', addresses: ['localhost'], srcdirs: [bed.directory] },
        { ...settings, name: 'other', addresses: ['localhost'], hostname: `not-${hostname()}` },
      ],
      { mail: { password_file: join(bed.directory, 'state/mail') } },
    );
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  it.each(['localhost', 'only-a-name'])('is backed up by the name alone: %s', async (name) => {
    await expectBackup(bed, name, source());
    const run = await expectBackup(bed, name, source());
    expect(run.jobs[0]?.stats).toMatchObject({ filesTransferred: 0 });
  });

  it('is reached at its own loopback address, and what `hostname` prints there is not compared', async () => {
    const { code, stdout } = await bed.busy(['probe', 'localhost', '--json']);
    expect(code).toBe(0);
    const probed = JSON.parse(stdout) as { address: string; hostname: string };
    expect(probed.hostname).toBe(hostname());
    expect(probed.hostname).not.toBe('localhost');
    const other = await bed.backUp('other');
    expect(other).toMatchObject({ state: RunState.FAILED, error: { reason: 'HOSTNAME_MISMATCH' } });
  });

  it('does not back up its backups, so that none grows by those before it', async () => {
    await bed.backUp('all');
    const run = await bed.backUp('all');
    expect([RunState.SUCCEEDED, RunState.PARTIAL]).toContain(run.state);
    const copied = join(bed.snapshotPath(run), 'data', bed.directory);
    expect(await readdir(join(copied, 'source'))).toEqual(['deep', 'file']);
    expect(await readdir(join(copied, 'backups'))).toEqual([]);
    expect(await bed.readRunLog(run.id)).toContain(`left out, since the backups lie there: ${bed.backupdir}`);
  });

  it('may back up what belongs to BUSY, but for the keys to other hosts', async () => {
    const state = join(bed.directory, 'state');
    await writeFiles(state, {
      'keys/web1': 'a private key',
      'tls/server.key': 'another',
      mail: 'a password',
    });
    const run = await bed.backUp('its-own-state');
    expect([RunState.SUCCEEDED, RunState.PARTIAL]).toContain(run.state);
    const copied = await readdir(join(bed.snapshotPath(run), 'data', state));
    expect(copied).toContain('busy.db');
    expect(copied).not.toContain('keys');
    expect(copied).not.toContain('tls');
    expect(copied).not.toContain('mail');
    expect(await bed.readRunLog(run.id)).toContain(
      `left out, since secrets of BUSY lie there: ${state}/keys, ${state}/tls, ${state}/mail`,
    );
  });

  it('backs the keys up where they are a source directory of their own', async () => {
    const keys = join(bed.directory, 'state/keys');
    await writeFiles(keys, { web1: 'a private key' });
    const run = await bed.backUp('its-own-keys');
    expect(await readdir(join(bed.snapshotPath(run), 'data', keys))).toContain('web1');
  });
});
