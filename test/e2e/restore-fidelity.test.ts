import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RunState, type Run } from '../../src/gen/busy/v1/run.js';
import type { RestoreTarget } from '../../src/gen/busy/v1/restore.js';
import { compareTrees, makeFidelityTree } from '../helpers/fidelity-tree.js';
import { archiveByHand } from '../helpers/hand-made-archive.js';
import { original, restore, toHost, toServer } from '../helpers/restores.js';
import { TestBed } from '../helpers/test-bed.js';
import { inodeOf } from '../helpers/tree-listing.js';

/** More than 4 GiB are read on both sides, for each restore and for each comparison. */
const slow = { timeout: 300_000 };

describe('a tree with one of everything comes back as it was', () => {
  let bed: TestBed;
  let source: string;
  let made: Run;

  beforeAll(async () => {
    bed = await TestBed.create();
    source = join(bed.directory, 'above', 'the source');
    await makeFidelityTree(source);
    // Compressed, the holes of the sparse file take less time.
    const common = {
      srcdirs: [dirname(source)],
      rsync_opts: '-aHAXSz --numeric-ids',
      archivedir: join(bed.directory, 'archives'),
    };
    await bed.configure([
      bed.hostAt(await bed.startSshd(), { name: 'web1', ...common }),
      bed.hostAt(await bed.startSshd(), { name: 'web2', ...common }),
    ]);
    await bed.startDaemon();
    made = await bed.backUp('web1');
    expect(made, JSON.stringify(made.error)).toMatchObject({ state: RunState.SUCCEEDED });
  }, slow.timeout);
  afterAll(() => bed.end());

  async function expectFaithful(target: RestoreTarget, copy: string, excludes: string[] = []): Promise<Run> {
    const ended = await restore(bed, { of: made, paths: [source], target });
    expect(ended, JSON.stringify(ended.error)).toMatchObject({ state: RunState.SUCCEEDED });
    expect(await compareTrees(stored(), copy, excludes)).toEqual([]);
    return ended;
  }

  let kept = '';
  const stored = (): string => join(kept || bed.snapshotPath(made), 'data', source);

  test('from the snapshot: to its own place', slow, async () => {
    const aside = join(bed.directory, 'aside');
    await rename(source, aside);
    await expectFaithful(original, source);
    expect(await compareTrees(aside, source)).toEqual([]);
    await rm(aside, { recursive: true });
  });

  test('from the snapshot: to another host, and to the server', slow, async () => {
    for (const [name, target] of [
      ['host', (directory: string) => toHost('web2', directory)],
      ['server', toServer],
    ] as const) {
      const directory = join(bed.directory, `to-${name}`);
      await expectFaithful(target(directory), join(directory, 'the source'));
      await rm(directory, { recursive: true });
    }
  });

  test('from its archive, to another host, and a link without the file that it shares', slow, async () => {
    await archiveByHand(join(bed.directory, 'archives'), 'web1', bed.snapshotPath(made));
    kept = join(bed.directory, 'kept');
    await rename(bed.snapshotPath(made), kept);
    const directory = join(bed.directory, 'from-archive');
    // tar has no word for sockets.
    const ended = await expectFaithful(toHost('web2', directory), join(directory, 'the source'), [
      '/special/socket',
      '/special',
    ]);
    expect(ended.restore).toMatchObject({ fromArchive: true });
    await rm(directory, { recursive: true });
    // Nothing of what was unpacked is left.
    expect(
      (await readdir(join(bed.backupdir, 'web1'))).filter((name) => name.startsWith('.restore')),
    ).toEqual([]);

    const links = join(bed.directory, 'links');
    await mkdir(links);
    for (const name of ['first', 'second', 'other/third']) {
      const paths = [join(source, 'hard links', name)];
      const one = await restore(bed, { of: made, paths, target: toServer(links) });
      expect(one, JSON.stringify(one.error)).toMatchObject({
        state: RunState.SUCCEEDED,
        restore: { created: 1 },
      });
    }
    expect(await inodeOf(join(links, 'first'))).not.toBe(await inodeOf(join(links, 'second')));
    const paths = [join(source, 'nowhere')];
    const missing = await restore(bed, { of: made, paths, target: toServer(links) });
    expect(missing.error).toMatchObject({ reason: 'PATH_NOT_FOUND' });
  });

  test('from its archive: to its own place, with the directories above', slow, async () => {
    const aside = join(bed.directory, 'above-aside');
    await rename(dirname(source), aside);
    const paths = [join(source, 'hard links')];
    const ended = await restore(bed, { of: made, paths, target: original });
    expect(ended, JSON.stringify(ended.error)).toMatchObject({ state: RunState.SUCCEEDED });
    const others = (await readdir(join(aside, 'the source'))).filter((name) => name !== 'hard links');
    const excludes = others.map((name) => `/the source/${name}`);
    // With the snapshot: the directory above on the host has another time since it was written into.
    expect(await compareTrees(dirname(stored()), dirname(source), excludes)).toEqual([]);
  });
});
