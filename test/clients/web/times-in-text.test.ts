import { expect, it } from 'vitest';
import { formatTime } from '../../../clients/cli/human-format.js';
import { withLocalTimes } from '../../../clients/web/page/format/times-in-text.js';

it('says the times of a sentence in the zone of the reader, and leaves all else', () => {
  const [from, until] = ['2026-11-22T20:00:05Z', '2026-11-23T06:00:00.250Z'];
  expect(withLocalTimes(`web1: not before ${from}, until ${until}; 2026-11-22 stays`)).toBe(
    `web1: not before ${formatTime(new Date(from))}, until ${formatTime(new Date(until))}; 2026-11-22 stays`,
  );
  expect(withLocalTimes('no SSH server answers at 127.0.0.3')).toBe('no SSH server answers at 127.0.0.3');
});
