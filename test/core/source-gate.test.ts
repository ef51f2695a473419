import { describe, expect, it } from 'vitest';
import type { GatePolicy } from '../../src/core/host.js';
import {
  heldFailure,
  judgeSources,
  type FoundSource,
  type SourceCounts,
} from '../../src/core/source-gate.js';
import type { HoldReason } from '../../src/core/snapshot.js';
import { sampleSnapshot } from '../rpc/samples.js';

const mebi = 1024 * 1024;
const policy: GatePolicy = { maxShrink: 0.5, maxChange: 0.8, allowEmpty: false };
const home: SourceCounts = { source: '/home', entries: 1100, files: 1000, bytes: 500 * mebi };

/** A source directory as it is now; what is not given is as in /home before. */
function now(changes: Partial<FoundSource>): FoundSource {
  return { ...home, unchanged: home.files, ...changes };
}

function judge(
  found: readonly FoundSource[],
  before: readonly SourceCounts[] = [home],
  changes: Partial<GatePolicy> = {},
): readonly HoldReason[] {
  return judgeSources({ ...policy, ...changes }, found, { before, beforeName: 'THEN' });
}

function codes(...judged: Parameters<typeof judge>): string[] {
  return judge(...judged).map(({ code, source }) => `${code} ${source}`.trim());
}

describe('a source directory', () => {
  it('that is as it was passes', () => expect(codes([now({})])).toEqual([]));

  it('of which nothing is known from before is not judged', () => {
    expect(codes([now({ entries: 1, files: 0, bytes: 0, unchanged: 0 })], [])).toEqual([]);
    expect(codes([now({ source: '/new', entries: 1, files: 0, bytes: 0, unchanged: 0 })])).toEqual([]);
  });

  it('that grew or was made anew in small part passes', () => {
    expect(codes([now({ entries: 99_000, files: 90_000, bytes: 9e12, unchanged: 1000 })])).toEqual([]);
    expect(codes([now({ unchanged: 200 })])).toEqual([]);
  });
});

describe('an empty source', () => {
  it.each([
    ['nothing at all', { entries: 1, files: 0, bytes: 0, unchanged: 0 }],
    ['directories without files', { entries: 40, files: 0, bytes: 0, unchanged: 0 }],
  ])('with %s is held, with what there was', (_, found) => {
    expect(judge([now(found)])).toEqual([
      {
        code: 'EMPTY_SOURCE',
        source: '/home',
        message: '/home has no files (is it mounted?); it had 1,000 files and 500.0 MiB, compared with THEN',
      },
    ]);
  });

  it('is held also when there were few files, since it is the sign of a mount that is gone', () => {
    const few = { ...home, entries: 2, files: 1, bytes: 10 };
    expect(codes([now({ entries: 1, files: 0, bytes: 0 })], [few])).toEqual(['EMPTY_SOURCE /home']);
  });

  it('passes when it was empty before, or may be', () => {
    const empty = { entries: 1, files: 0, bytes: 0 };
    expect(codes([now({ ...empty, unchanged: 0 })], [{ ...home, ...empty }])).toEqual([]);
    expect(codes([now({ ...empty, unchanged: 0 })], [home], { allowEmpty: true })).toEqual([]);
  });

  it('is found by its entries when the rsync of the host tells no kinds of files', () => {
    const untold = { ...home, files: 0 };
    expect(codes([now({ files: 0, unchanged: 0 })], [untold])).toEqual([]);
    const [reason] = judge([now({ entries: 1, files: 0, bytes: 0, unchanged: 0 })], [untold]);
    expect(reason?.message).toContain('it had 1,100 entries');
  });
});

describe('max_shrink', () => {
  it.each([
    ['entries at the limit', { entries: 550 }, []],
    ['entries below it', { entries: 549 }, ['SHRUNK /home']],
    ['bytes at the limit', { bytes: 250 * mebi }, []],
    ['bytes below it', { bytes: 250 * mebi - 1 }, ['SHRUNK /home']],
  ])('%s', (_, found, expected) => expect(codes([now(found)])).toEqual(expected));

  it('says both losses in one sentence', () => {
    expect(judge([now({ entries: 11, bytes: mebi })])[0]?.message).toBe(
      '/home has 11 entries instead of 1,100 (99 % fewer) and 1.0 MiB instead of 500.0 MiB (over 99 % less), compared with THEN',
    );
  });

  it('does not alarm for a few files or bytes, nor with 1', () => {
    const small = { ...home, entries: 60, files: 50, bytes: 90 * mebi };
    expect(codes([now({ entries: 11, bytes: 1, unchanged: 50 })], [small])).toEqual([]);
    expect(codes([now({ entries: 10, bytes: 1, unchanged: 50 })], [small])).toEqual(['SHRUNK /home']);
    expect(codes([now({ entries: 2, bytes: 1 })], [home], { maxShrink: 1 })).toEqual([]);
  });
});

describe('max_change', () => {
  it('counts what is left of the files that there were, so new names hide nothing', () => {
    expect(codes([now({ entries: 5000, files: 4900, unchanged: 199 })])).toEqual(['MASS_CHANGE /home']);
    expect(judge([now({ unchanged: 0 })])[0]?.message).toBe(
      '/home has 0 of its 1,000 files as they were (100 % are changed, renamed or removed), compared with THEN',
    );
  });

  it('is not asked when that is not known, for a few files, nor with 1', () => {
    expect(codes([now({ unchanged: null })])).toEqual([]);
    const small = { ...home, entries: 60, files: 50 };
    expect(codes([now({ entries: 60, files: 50, unchanged: 1 })], [small])).toEqual([]);
    expect(codes([now({ entries: 60, files: 50, unchanged: 0 })], [small])).toEqual(['MASS_CHANGE /home']);
    expect(codes([now({ unchanged: 0 })], [home], { maxChange: 1 })).toEqual([]);
  });

  it('is not said besides a loss that says it all', () => {
    expect(codes([now({ entries: 20, unchanged: 10 })])).toEqual(['SHRUNK /home']);
  });
});

describe('several source directories', () => {
  const names = ['/a', '/b', '/c'];
  const small = { entries: 41, files: 40, bytes: 40 };
  const before = names.map((source) => ({ ...small, source }));

  it('are judged one by one', () => {
    const found = [
      now({ source: '/a', unchanged: 0 }),
      now({ source: '/b', entries: 1, files: 0, unchanged: 0 }),
    ];
    const large = names.map((source) => ({ ...home, source }));
    expect(codes(found, large)).toEqual(['MASS_CHANGE /a', 'EMPTY_SOURCE /b']);
  });

  it('are judged together when each alone is too small for an alarm', () => {
    const shrunk = names.map((source) => now({ source, entries: 2, files: 1, bytes: 1, unchanged: 1 }));
    expect(codes(shrunk, before)).toEqual(['SHRUNK', 'MASS_CHANGE']);
    expect(judge(shrunk, before)[0]?.message).toBe(
      'all source directories together have 6 entries instead of 123 (95 % fewer), compared with THEN',
    );
    const oneIsNew = [...shrunk.slice(1), now({ ...small, source: '/new', unchanged: null })];
    expect(codes(oneIsNew, before)).toEqual(['SHRUNK', 'MASS_CHANGE']);
    expect(codes(shrunk.slice(0, 1), before)).toEqual([]);
  });
});

it('what is said of a held snapshot names the first reason and the command', () => {
  const reason: HoldReason = { code: 'SHRUNK', source: '/a', message: '/a has shrunk' };
  const snapshot = sampleSnapshot('web1', '2026-11-22_20-00-05i');
  expect(heldFailure(snapshot)).toBe(null);
  expect(heldFailure({ ...snapshot, heldFor: [reason, reason] })).toMatchObject({
    reason: 'SNAPSHOT_HELD',
    message: expect.stringContaining('nothing older is removed: /a has shrunk (and 1 more).'),
    advice: expect.stringContaining('busy acknowledge web1 2026-11-22_20-00-05i --yes'),
  });
});
