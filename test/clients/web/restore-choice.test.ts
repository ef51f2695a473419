import { expect, it } from 'vitest';
import { RestoreMode } from '../../../clients/web/gen/busy/v1/restore_pb.js';
import {
  choiceKey,
  missingFrom,
  restoreRequest,
  targetWord,
  type RestoreChoice,
} from '../../../clients/web/page/pages/snapshot/restore-choice.js';

const choice: RestoreChoice = {
  host: 'web1',
  snapshot: '2026-11-22_20-00-05f',
  paths: ['/etc', '/home'],
  place: 'original',
  directory: '/srv/there',
  otherHost: 'web2',
  mode: RestoreMode.NEVER_OVERWRITE,
};

it('is the same choice whatever the order of the paths, and whatever is not used', () => {
  const same = { ...choice, paths: ['/home', '/etc'], directory: '/else' };
  expect(choiceKey(same)).toBe(choiceKey(choice));
});

it.each([
  { paths: ['/etc'] },
  { mode: RestoreMode.MIRROR },
  { place: 'server' as const },
  { place: 'host' as const },
  { snapshot: '2026-11-23_20-00-05f' },
])('is another choice with %o', (change) => {
  expect(choiceKey({ ...choice, ...change })).not.toBe(choiceKey(choice));
});

it('has the target in one word, as the daemon wants a mirror to be confirmed', () => {
  expect(targetWord(choice)).toBe('web1:/');
  expect(targetWord({ ...choice, place: 'host' })).toBe('web2:/srv/there');
  expect(targetWord({ ...choice, place: 'server' })).toBe('/srv/there');
});

it('says what is missing', () => {
  expect(missingFrom(choice)).toBe('');
  expect(missingFrom({ ...choice, place: 'server', directory: 'there' })).toContain('begins with /');
  expect(missingFrom({ ...choice, place: 'host', otherHost: '' })).toContain('host');
});

it('becomes a request with an id of its own', () => {
  const options = { dryRun: true, confirm: '' };
  const request = restoreRequest({ ...choice, place: 'host' }, options);
  expect(request).toMatchObject({
    ...options,
    paths: ['/etc', '/home'],
    target: { place: { case: 'hostDirectory', value: { host: 'web2', directory: '/srv/there' } } },
  });
  expect(restoreRequest(choice, options).requestId).not.toBe(request.requestId);
});
