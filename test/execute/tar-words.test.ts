import { expect, it } from 'vitest';
import { isTarFault, TarFaults } from '../../src/execute/tar-words.js';

it.each([
  ['tar: a/f: file changed as we read it', 'unpacking'],
  ['tar: a/f: socket ignored', 'unpacking'],
  ['tar: a/f: File removed before we read it', 'sending unpacking'],
  ["tar: Removing leading `/' from member names", ''],
  ['tar: a/f: Warning: Cannot flistxattr: Operation not supported', 'unpacking'],
  ['tar: a/f: Warning: Cannot flistxattr: Permission denied', 'writing sending unpacking'],
  ['tar: a/f: Warning: Cannot lgetxattrat: Input/output error', 'writing sending unpacking'],
  ['tar: a/f: Warning: Cannot acl_get_file_at: Input/output error', 'writing sending unpacking'],
  ["tar: setxattrat: Cannot set 'user.x' extended attribute for file 'a/f': Operation not supported", 'all'],
  ["tar: setxattrat: Cannot set 'system.posix_acl_access' extended attribute for file 'a'", 'all'],
  ["tar: acl_set_file_at: Cannot set POSIX ACLs for file 'a': Operation not supported", 'writing sending'],
  ["tar: acl_set_file_at: Cannot set POSIX ACLs for file 'a': Permission denied", 'all'],
  ['tar: a: time stamp 2099-01-01 00:00:00 is 2 s in the future', 'writing sending'],
  ['tar: a: implausibly old time stamp 1960-01-01 00:00:00', 'writing sending'],
  ['tar: Exiting with failure status due to previous errors', ''],
  ['zstd: something that nobody knows', 'all'],
  ['', ''],
])('%s', (line, faultIn) => {
  const works = ['writing', 'sending', 'unpacking'] as const;
  const wanted = faultIn === 'all' ? works.join(' ') : faultIn;
  expect(works.filter((work) => isTarFault(line, work)).join(' ')).toBe(wanted);
});

it('keeps the first fault, and counts all', () => {
  const faults = new TarFaults('unpacking');
  for (const line of ['tar: a: socket?', '', 'tar: b: what?']) faults.hear(line);
  expect(faults).toMatchObject({ count: 2, first: 'tar: a: socket?' });
});
