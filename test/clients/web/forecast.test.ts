import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { expect, it } from 'vitest';
import { forecastWords } from '../../../clients/web/page/format/forecast.js';

const now = new Date('2026-11-26T12:00:00Z');

function inDays(days: number) {
  const fullAt = timestampFromDate(new Date(now.getTime() + days * 86_400_000));
  return forecastWords({ bytesPerDay: 1024n ** 3n, fullAt }, now);
}

it('says so where nothing is known', () => {
  expect(forecastWords(undefined, now)).toEqual({ text: 'not enough history for a forecast', isSoon: false });
});

it('says so where the disk does not fill', () => {
  expect(forecastWords({ bytesPerDay: -5n }, now).text).toBe('does not fill up at this pace');
});

it.each([
  [0.2, 'a day', true],
  [1, '1 day', true],
  [12, '12 days', true],
  [29, '4 weeks', true],
  [35, '5 weeks', false],
  [183, '6 months', false],
  [1000, '3 years', false],
])('says of a disk that is full in %f days: %s', (days, span, isSoon) => {
  expect(inDays(days)).toEqual({ text: `full in about ${span} at this pace (1.0 GiB a day)`, isSoon });
});

it('takes a disk that is full already as one that soon is', () => {
  expect(inDays(-1)).toMatchObject({ isSoon: true });
});
