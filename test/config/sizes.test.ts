import { describe, expect, it } from 'vitest';
import { describeConfig } from '../../src/config/describe.js';
import { errorOf, hostFile, meaning, parsed, parsedHost } from './parsed.js';

const GiB = 1024 ** 3;

describe('min_free', () => {
  it.each([
    ['10G', { unit: 'bytes', amount: 10 * GiB }],
    ['500 MiB', { unit: 'bytes', amount: 500 * 1024 ** 2 }],
    ['1.5t', { unit: 'bytes', amount: 1536 * GiB }],
    ['0', { unit: 'bytes', amount: 0 }],
    ['"0"', { unit: 'bytes', amount: 0 }],
    ['5%', { unit: 'percent', amount: 5 }],
    ['0.5 %', { unit: 'percent', amount: 0.5 }],
    ['90%', { unit: 'percent', amount: 90 }],
  ])('takes %s, and it is shown so that it means the same', (written, minFree) => {
    expect(parsedHost(`min_free: ${written}`)).toMatchObject({ minFree });
    const config = parsed(hostFile(`min_free: ${written}`));
    expect(meaning(parsed(describeConfig(config)))).toEqual(meaning(config));
  });

  it.each(['10', '91%', '100%', '-1G', '10X', '""', 'much', '1e9'])('refuses %s', (written) => {
    const problem = errorOf(hostFile(`min_free: ${written}`)).message;
    expect(problem).toMatch(/min_free: is .*; allowed: a size such as 500M, 10G or 1T, a share of the disk/);
  });
});

describe('quota and rsync_memory', () => {
  it('are sizes, and shown so that they mean the same', () => {
    const written = 'quota: 500GiB\nrsync_memory: 256M';
    expect(parsedHost('quota: 500GiB')).toMatchObject({ quotaBytes: 500 * GiB });
    expect(parsedHost('quota: 0')).toMatchObject({ quotaBytes: 0 });
    const config = parsed(`defaults: { ${written.replace('\n', ', ')} }\n${hostFile('max_entries: 1000')}`);
    expect(config.hosts[0]).toMatchObject({
      quotaBytes: 500 * GiB,
      rsyncMemoryBytes: GiB / 4,
      maxEntries: 1000,
    });
    expect(meaning(parsed(describeConfig(config)))).toEqual(meaning(config));
  });

  it.each(['quota: 500', 'quota: 5%', 'rsync_memory: 100M', 'rsync_memory: 1'])('refuses %s', (written) => {
    expect(errorOf(hostFile(written)).message).toMatch(/allowed: a size/);
  });
});

describe('reserve', () => {
  it.each([
    ['0', 0],
    ['1M', 1024 ** 2],
    ['1G', GiB],
    ['1.5M', 1.5 * 1024 ** 2],
  ])('takes %s', (written, bytes) => {
    const config = parsed(`reserve: ${written}`);
    expect(config.reserveBytes).toBe(bytes);
    expect(meaning(parsed(describeConfig(config)))).toEqual(meaning(config));
  });

  it.each(['64', '1023K', '2G', '5%'])('refuses %s', (written) => {
    expect(errorOf(`reserve: ${written}`).message).toMatch(
      /reserve: is .*; allowed: a size from 1M to 1G, or 0/,
    );
  });
});
