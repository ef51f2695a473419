import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BusyError } from '../../src/core/errors.js';
import type { RestoreTask } from '../../src/core/executor-port.js';
import type { RestoreWish } from '../../src/core/restore.js';
import { planFor } from '../../src/execute/restore-archive.js';
import { requireEntries } from '../../src/execute/restore-checks.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-checks-'));
  for (const place of ['data/etc', 'data/srv/one']) await mkdir(join(directory, place), { recursive: true });
  await symlink('/', join(directory, 'data/planted'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** The facts of what stands against it; null when nothing does. */
function refusal(
  paths: string[],
  changes: Partial<RestoreWish> = {},
): { reason: string; facts: object } | null {
  const wish: RestoreWish = {
    paths,
    target: { kind: 'original' },
    mode: 'never-overwrite',
    isDryRun: false,
    ...changes,
  };
  const source = {
    path: directory,
    sources: ['/etc', '/srv/one', '/srv/two'],
    outcome: 'SUCCEEDED',
    heldFor: [],
  } as const;
  try {
    requireEntries({ wish, snapshot: 'NAME' } as RestoreTask, planFor(wish, source), directory);
    return null;
  } catch (error) {
    const { reason, facts } = error as BusyError;
    return { reason, facts };
  }
}

it('a source directory that is not in the snapshot is named, and so is the rest', () => {
  const missing = { snapshot: 'NAME', missing: '/srv/two' };
  expect(refusal(['/'])).toEqual({
    reason: 'RESTORE_SOURCE_MISSING',
    facts: { ...missing, rest: '/etc /srv/one' },
  });
  expect(refusal(['/srv'])).toEqual({
    reason: 'RESTORE_SOURCE_MISSING',
    facts: { ...missing, rest: '/srv/one' },
  });
  expect(refusal(['/etc', '/srv/one'])).toBeNull();
  // What lies at the top is what there is.
  expect(refusal(['/'], { target: { kind: 'local', directory: '/target' } })).toBeNull();
});

it('one that was asked for by its name is just not there', () => {
  expect(refusal(['/srv/two'])).toMatchObject({ reason: 'PATH_NOT_FOUND' });
  expect(refusal(['/planted/etc'])).toMatchObject({ reason: 'PATH_REFUSED' });
});

it('an empty directory is not mirrored', () => {
  expect(refusal(['/srv/one'], { mode: 'mirror' })).toMatchObject({ reason: 'MIRROR_REFUSED' });
});
