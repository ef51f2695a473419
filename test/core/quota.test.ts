import { describe, expect, it } from 'vitest';
import { judgeEntries, judgeGrowth, judgeStart, mostAdded } from '../../src/core/quota.js';

const MiB = 1024 ** 2;
const host = { name: 'web1', quotaBytes: 100 * MiB, maxEntries: 1000 };

describe('a quota', () => {
  it('lets a backup begin as long as there is anything left', () => {
    expect(judgeStart(host, 100 * MiB - 1)).toBeNull();
    expect(judgeStart(host, 100 * MiB)?.message).toBe(
      'Host "web1" may take up 100.0 MiB on the backup disk (quota), and its backups take up 100.0 MiB already.',
    );
  });

  it('ends one that comes above it, and not one that fills it', () => {
    expect(judgeGrowth(host, 60 * MiB, 40 * MiB)).toBeNull();
    const error = judgeGrowth(host, 60 * MiB, 40 * MiB + 1);
    expect(error?.reason).toBe('QUOTA_EXCEEDED');
    expect(error?.message).toContain('it had added 40.0 MiB to 60.0 MiB when it was stopped');
    expect(error?.advice).toContain('busy space web1');
  });

  it('takes what cannot be known for too much', () => {
    expect(judgeGrowth(host, 0, Infinity)).not.toBeNull();
    expect(judgeGrowth(host, 0, NaN)).not.toBeNull();
  });

  it('knows the most that can be new on a disk: small files and empty directories take a block each', () => {
    expect(mostAdded({ bytes: 10, calls: 10 }, 3)).toBe(10 + 13 * 4096);
    expect(mostAdded({ bytes: 10, calls: 0 }, -5)).toBe(10);
  });
});

describe('max_entries', () => {
  it('ends a backup with more, and 0 means no limit', () => {
    expect(judgeEntries(host, 1000)).toBeNull();
    expect(judgeEntries(host, 1001)?.message).toBe(
      'Host "web1" has more than 1,000 files and directories to back up (max_entries); 1,001 were met.',
    );
    expect(judgeEntries({ ...host, maxEntries: 0 }, 1e12)).toBeNull();
  });
});
