import { describe, expect, it } from 'vitest';
import { isWindowOpen, nextWindowOpening, parseWindow } from '../../src/core/windows.js';

describe('a window', () => {
  it.each([
    ['22:00-06:00', '2026-11-20T22:00:00Z', true],
    ['22:00-06:00', '2026-11-20T21:59:00Z', false],
    ['22:00-06:00', '2026-11-21T05:59:00Z', true],
    ['22:00-06:00', '2026-11-21T06:00:00Z', false],
    ['09:00-17:30', '2026-11-20T17:29:00Z', true],
    ['09:00-17:30', '2026-11-20T17:30:00Z', false],
    ['00:00-24:00', '2026-11-20T23:59:59Z', true],
    // 2026-11-20 is a Friday. Over midnight it belongs to the day on which it begins.
    ['fri 22:00-06:00', '2026-11-21T03:00:00Z', true],
    ['fri 22:00-06:00', '2026-11-20T03:00:00Z', false],
    ['sat,sun 00:00-24:00', '2026-11-20T23:59:00Z', false],
    ['sat,sun 00:00-24:00', '2026-11-21T00:00:00Z', true],
    ['fri-mon 10:00-11:00', '2026-11-23T10:30:00Z', true],
    ['fri-mon 10:00-11:00', '2026-11-24T10:30:00Z', false],
  ])('%s at %s: %s', (window, moment, isOpen) => {
    expect(isWindowOpen([window], 'UTC', new Date(moment))).toBe(isOpen);
  });

  it('is meant in the time zone of the host', () => {
    const moment = new Date('2026-07-01T20:30:00Z');
    expect(isWindowOpen(['22:00-23:00'], 'Europe/Berlin', moment)).toBe(true);
    expect(isWindowOpen(['22:00-23:00'], 'UTC', moment)).toBe(false);
  });

  it('says when it opens next, the first of several, over a change of the clocks too', () => {
    const next = nextWindowOpening(
      ['22:00-06:00', '12:00-13:00'],
      'Europe/Berlin',
      new Date('2026-10-24T21:00:00Z'),
    );
    expect(next?.toISOString()).toBe('2026-10-25T11:00:00.000Z');
    expect(nextWindowOpening([], 'UTC', new Date())).toBeNull();
  });

  it('is always open when there is none', () => {
    expect(isWindowOpen([], 'UTC', new Date())).toBe(true);
  });

  it.each([
    '',
    '22:00',
    '24:00-06:00',
    '22:00-24:01',
    '22:60-06:00',
    'foo 22:00-06:00',
    'mon- 22:00-06:00',
    '22:00-22:00',
    'mon-wed-fri 22:00-06:00',
  ])('%j is none', (text) => expect(parseWindow(text)).toBeNull());
});
