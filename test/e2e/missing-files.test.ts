import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { TestBed } from '../helpers/test-bed.js';

/** rsync on the host as a user who is not root. */
const asNobody =
  process.getuid?.() === 0 ? 'setpriv --reuid 65534 --regid 65534 --clear-groups rsync' : 'rsync';

describe.each(['server', 'client'])('what is missing from a snapshot, initiator %s', (initiator) => {
  let bed: TestBed;
  const at = (name: string): string => join(bed.directory, name);

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    await chmod(bed.directory, 0o711);
    await mkdir(at('source/locked'), { recursive: true });
    await mkdir(at('source/below'));
    for (const name of ['file', 'secret', 'below/secret', 'locked/file'])
      await writeFile(at(`source/${name}`), name);
    for (const name of ['secret', 'below/secret', 'locked']) await chmod(at(`source/${name}`), 0);
    const vanishing = async (name: string) => {
      const source = at(name);
      await mkdir(source);
      await writeFile(join(source, 'a-large'), randomBytes(3_000_000));
      for (const file of ['keep.txt', 'z-1.tmp', 'z-2.tmp']) await writeFile(join(source, file), file);
      const program = await bed.writeProgram(`rsync-of-${name}`, deletingRsync(`${source}/z-*`));
      return { name, srcdirs: [source], rsync_path: program, initiator };
    };
    await bed.configure([
      bed.hostAt(sshd, { name: 'unreadable', srcdirs: [at('source')], rsync_path: asNobody, initiator }),
      bed.hostAt(sshd, await vanishing('vanished')),
      bed.hostAt(sshd, { ...(await vanishing('volatile-path')), volatile: [at('volatile-path/z-*')] }),
      bed.hostAt(sshd, { ...(await vanishing('volatile-name')), volatile: ['*.tmp'] }),
      bed.hostAt(sshd, { ...(await vanishing('half-volatile')), volatile: ['z-2.tmp'] }),
    ]);
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  it('is PARTIAL with exactly the files that the user may not read, and exit code 5', async () => {
    const { code, stdout } = await bed.busy(['backup', 'unreadable', '--follow']);
    const run = await bed.lastRun('unreadable');
    const paths = [at('source/below/secret'), at('source/locked'), at('source/secret')];
    const missing = paths.map((path) => ({ path, why: 'Permission denied (13)' }));
    expect(run).toMatchObject({ state: RunState.PARTIAL, error: { reason: 'FILES_MISSING' } });
    expect(run.jobs[0]).toMatchObject({ missingFileCount: 3, exitCode: 23 });
    expect(run.jobs[0]?.missingFiles.toSorted((a, b) => (a.path < b.path ? -1 : 1))).toEqual(missing);
    for (const path of paths) expect(stdout).toContain(`  ${path}: Permission denied (13)\n`);
    expect(stdout).toContain(run.error?.message);
    expect(stdout).toContain('Give the user the right to read them');
    expect(code).toBe(5);
    const json = JSON.parse(await readFile(join(bed.snapshotPath(run), 'snapshot.json'), 'utf8'));
    expect(json).toMatchObject({ outcome: 'PARTIAL', missingFileCount: 3 });
    expect(await readFile(join(bed.snapshotPath(run), 'data', at('source/file')), 'utf8')).toBe('file');
  });

  it('fault 6: is PARTIAL with the files that vanished while they were copied', async () => {
    const { code, stdout } = await bed.busy(['backup', 'vanished', '--follow']);
    const run = await bed.lastRun('vanished');
    expect(run).toMatchObject({ state: RunState.PARTIAL, error: { reason: 'FILES_VANISHED' } });
    const paths = [at('vanished/z-1.tmp'), at('vanished/z-2.tmp')];
    expect(run.jobs[0]).toMatchObject({
      exitCode: 24,
      missingFiles: paths.map((path) => ({ path, why: 'vanished' })),
    });
    expect(stdout).toContain(`the first: ${paths[0]}`);
    expect(stdout).toContain('add their paths to volatile');
    expect(code).toBe(5);
  });

  it.each(['volatile-path', 'volatile-name'])(
    'fault 6: succeeds when all that vanished is %s',
    async (host) => {
      expect((await bed.busy(['backup', host, '--follow'])).code).toBe(0);
      const run = await bed.lastRun(host);
      expect(run).toMatchObject({ state: RunState.SUCCEEDED, error: undefined });
      expect(run.jobs[0]).toMatchObject({ exitCode: 24, missingFileCount: 0 });
      expect(await readFile(join(bed.snapshotPath(run), 'data', at(host), 'keep.txt'), 'utf8')).toBe(
        'keep.txt',
      );
    },
  );

  it('names only what vanished beside the volatile', async () => {
    expect((await bed.busy(['backup', 'half-volatile', '--follow'])).code).toBe(5);
    const { jobs } = await bed.lastRun('half-volatile');
    expect(jobs[0]?.missingFiles.map(({ path }) => path)).toEqual([at('half-volatile/z-1.tmp')]);
  });
});

/**
 * A program for the host that runs rsync and deletes files after their list was sent, and before their turn comes:
 * by then rsync is held in the middle of the large file before them, since nobody reads what it sends.
 */
function deletingRsync(pattern: string): string {
  const gate = `{ stdbuf -o0 head -c 500000; rm -f ${pattern}; cat; }`;
  return `#!/bin/sh
if [ "$1" = --version ]; then exec rsync --version; fi
if [ "$1" = --server ]; then rsync "$@" | ${gate}; exit; fi
exec 6>&4
code=$({ { rsync "$@" 4>&1 1>&2; echo $? >&7; } | ${gate} >&6; } 7>&1)
exit "$code"
`;
}
