import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { compareTrees } from '../helpers/fidelity-tree.js';
import { restore, toHost } from '../helpers/restores.js';
import { TestBed } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';

let bed: TestBed;
let source: string;
let made: Run;
let target: string;
let round = 0;

beforeAll(async () => {
  bed = await TestBed.create();
  const sshd = await bed.startSshd();
  const limited = await bed.startSshd({ forceCommand: 'rrsync -ro /' });
  source = join(bed.directory, 'source');
  await writeFiles(source, { 'etc/app.conf': 'from the snapshot', 'etc/deep/er/file': 5000 });
  await bed.configure([
    bed.hostAt(sshd, { name: 'web1', srcdirs: [source] }),
    bed.hostAt(sshd, { name: 'web2', srcdirs: [source] }),
    bed.hostAt(limited, { name: 'limited', srcdirs: [source] }),
    bed.hostAt(limited, {
      name: 'with-own-key',
      srcdirs: [source],
      port: sshd.port,
      host_key: sshd.hostKey,
      restore_identity_file: sshd.identityFile,
    }),
  ]);
  await bed.startDaemon();
  made = await bed.backUp('web1');
  expect(made, JSON.stringify(made.error)).toMatchObject({ state: RunState.SUCCEEDED });
});
afterAll(() => bed.end());
beforeEach(async () => {
  target = join(bed.directory, `target-${++round}`);
  await mkdir(target);
});

const from = (...parts: string[]): string => join(source, ...parts);
const here = (...parts: string[]): string => join(target, ...parts);

describe('a key that may only read', () => {
  test('is told from all else, also by a dry run, with what the host needs', async () => {
    for (const dryRun of [true, false]) {
      const ended = await restore(bed, {
        of: made,
        paths: [from('etc')],
        target: toHost('limited', target),
        dryRun,
      });
      expect(ended, JSON.stringify(ended.error)).toMatchObject({
        state: RunState.FAILED,
        error: { reason: 'RESTORE_KEY_READ_ONLY' },
      });
      expect(ended.error?.advice).toContain('restore_identity_file');
      expect(ended.error?.advice).toContain('restrict,command="rrsync /"');
    }
    expect(await readdir(target)).toEqual([]);
  });

  test('another key for restores is enough', async () => {
    const ended = await restore(bed, {
      of: made,
      paths: [from('etc')],
      target: toHost('with-own-key', target),
    });
    expect(ended, JSON.stringify(ended.error)).toMatchObject({ state: RunState.SUCCEEDED });
    expect(await compareTrees(from('etc'), here('etc'))).toEqual([]);
  });
});

describe('the command', () => {
  test('lists a dry run, and asks before it replaces', async () => {
    const listed = await bed.busy([
      'restore',
      'web1',
      from('etc'),
      '--to-local',
      target,
      '--mode',
      'overwrite',
      '-n',
    ]);
    expect(listed, listed.stderr).toMatchObject({ code: 0 });
    expect(listed.stdout).toContain(' + etc/app.conf');
    expect(listed.stdout).toContain('dry run: nothing was changed');
    const unasked = await bed.busy([
      'restore',
      'web1',
      from('etc'),
      '--to-local',
      target,
      '--mode',
      'overwrite',
    ]);
    expect(unasked).toMatchObject({ code: 2 });
    expect(unasked.stderr).toContain('--yes');
    const word = `web1/${made.snapshot}`;
    const done = await bed.busy(['restore', word, from('etc'), '--to-local', target, '--follow']);
    expect(done, done.stderr).toMatchObject({ code: 0 });
    expect(await compareTrees(from('etc'), here('etc'))).toEqual([]);
    const mirrored = await bed.busy([
      'restore',
      word,
      from('etc'),
      '--to',
      `web2:${target}`,
      '--mode',
      'mirror',
      '--confirm',
      `web2:${target}`,
      '--follow',
      '--json',
    ]);
    expect(mirrored, mirrored.stderr).toMatchObject({ code: 0 });
  });
});
