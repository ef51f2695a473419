import { describe, expect, test } from 'vitest';
import { escapeJson, escapeText } from '../../../clients/cli/escape.js';
import { formatAge, formatBytes, formatDuration } from '../../../clients/cli/human-format.js';
import { renderProgressLine } from '../../../clients/cli/progress-line.js';
import { cutToColumns } from '../../../clients/cli/text-width.js';
import { RunState, type Progress } from '../../../src/gen/busy/v1/run.js';
import { minutesAgo, now, runningRun, sampleRun } from './samples.js';

describe('the progress line', () => {
  test('tells share, bytes, rate, time left, job and file', () => {
    expect(render({})).toBe('42%  1.2 GiB  35.1 MiB/s  3 min 00 s left  job 1 of 2  etc/hosts');
  });

  test('marks the share as an estimate while the source is listed', () => {
    expect(render({ isListing: true })).toMatch(/^~42% {2}/);
  });

  test('leaves out what is unknown', () => {
    expect(render({ secondsLeft: undefined, currentFile: '' })).toBe('42%  1.2 GiB  35.1 MiB/s  job 1 of 2');
  });

  test('has words for a run that does not move data', () => {
    expect(renderProgressLine(sampleRun())).toBe('waiting in the queue');
    expect(renderProgressLine(sampleRun({ state: RunState.RUNNING }))).toBe('starting');
    expect(renderProgressLine(sampleRun({ state: RunState.CANCELLING }))).toBe('cancelling');
    expect(renderProgressLine({ ...runningRun(1, 5), state: RunState.CANCELLING })).toMatch(
      /^cancelling {2}5%/,
    );
  });
});

test.each([
  ['short', 10, 'short'],
  ['exactly ten', 11, 'exactly ten'],
  ['too long by far', 8, 'too lon…'],
  ['日本語日本語', 7, '日本語…'],
  ['日本語日本語', 6, '日本…'],
  ['e\u0301e\u0301e\u0301', 3, 'e\u0301e\u0301e\u0301'],
  ['abc', 1, '…'],
  ['abc', 0, ''],
])('%s in %i columns', (text, columns, cut) => {
  expect(cutToColumns(text, columns)).toBe(cut);
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1024 ** 2 - 1, '1.0 MiB'],
  [1_288_490_189, '1.2 GiB'],
  [5 * 1024 ** 6, '5120.0 PiB'],
])('%i bytes', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, '0.0 s'],
  [840, '0.8 s'],
  [9_970, '10 s'],
  [59_600, '1 min 00 s'],
  [72_000, '1 min 12 s'],
  [7_500_000, '2 h 05 min'],
  [273_600_000, '3 d 4 h'],
])('%i ms', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('ages', () => {
  expect(formatAge(undefined, now)).toBe('-');
  expect(formatAge(minutesAgo(-5), now)).toBe('just now');
  expect(formatAge(minutesAgo(0.5), now)).toBe('30 s ago');
  expect(formatAge(minutesAgo(3), now)).toBe('3 min ago');
  expect(formatAge(minutesAgo(200), now)).toBe('3 h ago');
  expect(formatAge(minutesAgo(60 * 24 * 5), now)).toBe('5 d ago');
});

test('what could steer a terminal becomes visible', () => {
  expect(escapeText('a\tb\r\n\u001b]0;x\u0007 \u0085 \u2028 \u{e0041} ü 日')).toBe(
    'a\\tb\\x0d\\n\\x1b]0;x\\x07 \\x85 \\u{2028} \\u{e0041} ü 日',
  );
});

test('escaped JSON has the same value', () => {
  const value = { text: '\u001b \u009b \u202e \u{e0041} ü "\\' };
  const escaped = escapeJson(JSON.stringify(value));
  expect(escaped).not.toMatch(/\p{C}/u);
  expect(JSON.parse(escaped)).toEqual(value);
});

function render(changes: Partial<Progress>): string {
  const run = runningRun(1, 42);
  return renderProgressLine({ ...run, progress: run.progress && { ...run.progress, ...changes } });
}
