import { expect, it } from 'vitest';
import { isDigestDue, newestDigestSlot } from '../../src/core/digest.js';

it('finds the newest slot, today or yesterday', () => {
  expect(newestDigestSlot('8:00', new Date(2026, 10, 22, 8, 0))).toEqual(new Date(2026, 10, 22, 8, 0));
  expect(newestDigestSlot('08:00', new Date(2026, 10, 22, 23, 59))).toEqual(new Date(2026, 10, 22, 8, 0));
  expect(newestDigestSlot('08:00', new Date(2026, 10, 1, 7, 59))).toEqual(new Date(2026, 9, 31, 8, 0));
});

it('is due once a slot, and not before the first', () => {
  const slot = new Date(2026, 10, 22, 8, 0);
  expect(isDigestDue(slot, null)).toBe(false);
  expect(isDigestDue(slot, new Date(2026, 10, 21, 8, 0))).toBe(true);
  expect(isDigestDue(slot, slot)).toBe(false);
  expect(isDigestDue(slot, new Date(2026, 10, 23, 8, 0))).toBe(false);
});
