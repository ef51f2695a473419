import { describe, expect, it } from 'vitest';
import { LinkCounter, type LinkCounts } from '../../src/execute/link-counter.js';
import { parseRsyncLine } from '../../src/execute/rsync-output.js';

/** What is counted of items as rsync writes them. */
function count(
  lines: readonly string[],
  { regularFiles, totalBytes, missing = 0 }: { regularFiles: number; totalBytes: number; missing?: number },
): LinkCounts & { example: string | null } {
  const links = new LinkCounter();
  for (const event of lines.flatMap(parseRsyncLine)) if (event.kind === 'item') links.take(event);
  return { ...links.counts({ regularFiles, totalBytes }, missing), example: links.example };
}

describe('what rsync names', () => {
  it('is copied, and what it does not name is a link', () => {
    const lines = [
      '.d..t...... 4096 ./',
      'cd+++++++++ 4096 d/',
      '>f+++++++++ 6 d/new',
      '<f.st...... 10 d/changed',
      '>f..t...... 20 d/touched',
      'cf....o.... 40 d/owned',
      'cf...p...ax 80 d/all',
      'cL+++++++++ 2 d/l -> new',
      'cD+++++++++ 0 d/dev',
    ];
    expect(count(lines, { regularFiles: 12, totalBytes: 1156 })).toEqual({
      copiedFiles: 5,
      copiedBytes: 156,
      attributeChangedFiles: 3,
      linkedFiles: 7,
      linkedBytes: 1000,
      example: 'd/touched',
    });
  });

  it('is neither when it is another name of a file of the source', () => {
    const lines = ['>f+++++++++ 6 a', 'hf+++++++++ 6 b => a'];
    const none = { linkedFiles: 0, linkedBytes: 0, attributeChangedFiles: 0, example: null };
    expect(count(lines, { regularFiles: 2, totalBytes: 12 })).toEqual({
      ...none,
      copiedFiles: 1,
      copiedBytes: 6,
    });
  });

  it('is content when checksums were compared', () => {
    expect(count(['>fc.t...... 6 a'], { regularFiles: 1, totalBytes: 6 })).toMatchObject({
      copiedFiles: 1,
      attributeChangedFiles: 0,
    });
  });
});

it('files that are missing are no links, and a host without kinds of files has none', () => {
  expect(count([], { regularFiles: 3, totalBytes: 30, missing: 1 })).toMatchObject({ linkedFiles: 2 });
  expect(count(['>f+++++++++ 6 a'], { regularFiles: 0, totalBytes: 30 })).toMatchObject({
    linkedFiles: 0,
    linkedBytes: 0,
  });
});
