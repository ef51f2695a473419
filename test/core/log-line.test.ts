import { describe, expect, it } from 'vitest';
import { escapeControls, formatLogLine } from '../../src/core/log-line.js';

const now = new Date('2026-11-22T20:00:05.123Z');
const time = '2026-11-22T20:00:05.123Z ';

describe('formatLogLine', () => {
  it('is the time, the text and one line end', () => {
    expect(formatLogLine(now, 'started: zoë 😀')).toBe(`${time}started: zoë 😀\n`);
    expect(formatLogLine(now, '')).toBe(`${time}\n`);
  });

  it.each(['\n', '\r', '\r\n', '\u2028', '\u2029', '\u0085', '\v', '\f'])(
    'stays one line for %j',
    (lineEnd) => {
      const line = formatLogLine(now, `a${lineEnd}2026-01-01T00:00:00.000Z forged`);
      expect(line.slice(0, -1).split(/[\n\r\u2028\u2029\u0085\v\f]/)).toHaveLength(1);
      expect(line.endsWith(' forged\n')).toBe(true);
    },
  );

  it('leaves a text of the greatest length whole and cuts a longer one', () => {
    expect(formatLogLine(now, 'x'.repeat(10_000))).toBe(`${time}${'x'.repeat(10_000)}\n`);
    expect(formatLogLine(now, 'x'.repeat(10_001))).toBe(`${time}${'x'.repeat(10_000)} [cut]\n`);
  });

  it.each(['x', 'é', '€', '😀', '\u0000', '\u009b', 'x😀'])(
    'is never longer than 32 KiB, and whole UTF-8, for endless %j',
    (unit) => {
      const line = formatLogLine(now, unit.repeat(100_000));
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(32 * 1024);
      expect(line.endsWith(' [cut]\n')).toBe(true);
      expect(Buffer.from(line).toString()).toBe(line);
    },
  );
});

describe('escapeControls', () => {
  it('leaves no control character to a terminal', () => {
    let all = '';
    for (let code = 0; code < 0x100; code++) all += String.fromCharCode(code);
    expect(escapeControls(all)).not.toMatch(/\p{Cc}/u);
    expect(escapeControls('\u001b[31mred\u009b0m')).toBe('\\x1b[31mred\\x9b0m');
  });

  it('leaves every printable text as it is', () => {
    const text = 'Zoë 😀 日本 "x" \\ \\u{1b}';
    expect(escapeControls(text)).toBe(text);
  });

  it('shows half a character by its code', () => {
    expect(escapeControls('a\ud83d')).toBe('a\\u{d83d}');
  });
});
