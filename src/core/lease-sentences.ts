/** The reasons that there are where several daemons share one database. */
import { says, type Sentence } from './sentence.js';

export const leaseSentences = {
  HOST_ELSEWHERE: says(
    'FAILED_PRECONDITION',
    (f) =>
      `Host "${f.host}" is in the hands of another busyd (process ${f.pid} on machine ${f.machine}), which shares this database.`,
    () =>
      'Ask that one, there or with --server. When it is gone, its hosts are taken over by themselves, after takeover_after; busy info names the daemons.',
  ),
  HOST_NOT_HELD: says(
    'UNAVAILABLE',
    (f) => `Host "${f.host}" is in no hands at the moment: ${f.detail}.`,
    () => 'It is taken by one of the daemons that share the database within seconds. Try again then.',
  ),
  LEASE_LOST: says(
    'INTERNAL',
    (f) =>
      `The run was stopped, since its daemon could not reach the database for too long: another daemon may take over host "${f.host}".`,
    () =>
      'The next backup goes on from what was copied. Look after the way to the database, or raise takeover_after.',
  ),
} as const satisfies Record<string, Sentence>;
