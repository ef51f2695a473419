import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatShare } from '../../src/core/figures.js';
import {
  describeLinks,
  isMassChange,
  isWorthComparing,
  nothing,
  withFile,
  type Amount,
} from '../../src/core/link-health.js';
import { noTransfer } from '../../src/core/snapshot.js';

const mebi = 1024 * 1024;
const gibi = 1024 * mebi;
const gate = { maxShrink: 0.5, maxChange: 0.8, allowEmpty: false };

function amount(files: number, bytes: number): Amount {
  return { files, bytes, space: bytes };
}

describe('space', () => {
  it('is counted in whole blocks', () => {
    expect([1, 4096, 4097, 0].reduce(withFile, nothing)).toEqual({ files: 4, bytes: 8194, space: 16_384 });
  });
});

describe('a comparison', () => {
  it('is worth it from 100 MiB on, or from a fiftieth of a large source', () => {
    expect(isWorthComparing(amount(1, 100 * mebi - 1), 0)).toBe(false);
    expect(isWorthComparing(amount(1, 100 * mebi), 5 * gibi)).toBe(false);
    expect(isWorthComparing(amount(1, 103 * mebi), 5 * gibi)).toBe(true);
    expect(isWorthComparing(amount(1, 100 * mebi), 4 * gibi)).toBe(true);
  });

  it('finds a mass change by files or by bytes', () => {
    const all = amount(1000, 10 * gibi);
    expect(isMassChange(gate, all, amount(800, 8 * gibi))).toBe(false);
    expect(isMassChange(gate, all, amount(801, gibi))).toBe(true);
    expect(isMassChange(gate, all, amount(3, 9 * gibi))).toBe(true);
    expect(isMassChange({ ...gate, maxChange: 1 }, all, all)).toBe(false);
  });

  it('finds none in what takes little space', () => {
    expect(isMassChange(gate, amount(1000, 99 * mebi), amount(1000, 99 * mebi))).toBe(false);
    expect(
      isMassChange(
        gate,
        { files: 30_000, bytes: 30_000, space: 0 },
        [...Array(30_000)].map(() => 1).reduce(withFile, nothing),
      ),
    ).toBe(true);
  });
});

describe('the sentence', () => {
  it('says what became of the files', () => {
    const stats = {
      ...noTransfer,
      linkedFiles: 12_000,
      linkedBytes: 3 * gibi,
      copiedFiles: 2,
      copiedBytes: 10,
    };
    expect(describeLinks(stats)).toBe('12,000 files (3.0 GiB) are links, 2 files (10 B) were copied');
    expect(describeLinks({ ...stats, attributeChangedFiles: 1 })).toBe(
      '12,000 files (3.0 GiB) are links, 2 files (10 B) were copied, 1 of them although only their owner, mode or time differs',
    );
  });

  it('has figures that people read', () => {
    expect([0, 0.001, 0.5, 0.994, 0.999, 1].map(formatShare)).toEqual([
      '0 %',
      'under 1 %',
      '50 %',
      '99 %',
      'over 99 %',
      '100 %',
    ]);
    expect([formatCount(0), formatCount(1_234_567)]).toEqual(['0', '1,234,567']);
    expect([0, 1023, 1_048_575].map(formatBytes)).toEqual(['0 B', '1023 B', '1.0 MiB']);
  });
});
