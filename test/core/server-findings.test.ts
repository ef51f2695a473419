import { describe, expect, it } from 'vitest';
import type { SecretFacts } from '../../src/core/secret-files.js';
import { serverFindings, type ServerFacts } from '../../src/core/server-findings.js';

const room = { free: { bytes: 50e9, inodes: 500 }, total: { bytes: 100e9, inodes: 1000 } };

const secrets: SecretFacts = {
  configFile: { path: '/etc/busy/busy.yaml', mode: 0o644, isOwn: true },
  hasPasswordInConfig: false,
  files: [
    { path: '/var/lib/busy/keys/web1', mode: 0o600, isOwn: true, kind: 'key' },
    { path: '/etc/ssl/busy.key', mode: 0o640, isOwn: false, kind: 'tls-key' },
  ],
};

const good: ServerFacts = {
  now: new Date('2026-11-26T12:00:00Z'),
  stateDir: { path: '/var/lib/busy', mode: 0o750, isOwn: true },
  secrets,
  disks: [{ directory: '/srv/backup', use: 'backupdir', room }],
  rsync: { version: '3.2.7' },
  confinement: { mode: 'auto', isBoxed: true, hasOwnNetwork: true, isMemoryBounded: true, why: '' },
  programs: [{ name: 'tar', isThere: true, use: 'archives need it' }],
  locks: [{ backupdir: '/srv/backup', owner: '' }],
  certificate: { file: '/t/server.crt', expiresAt: new Date('2027-11-26T12:00:00Z') },
  timeZones: [{ name: 'Europe/Berlin', isKnown: true }],
  tables: { pending: [], unknown: [], clockAheadMs: 40 },
  databaseAwaySince: null,
  mailTrouble: null,
  hasRecipients: true,
};

const unconfined = { isBoxed: false, hasOwnNetwork: false, isMemoryBounded: true };

function badOf(changes: Partial<ServerFacts>): string[] {
  return serverFindings({ ...good, ...changes })
    .filter(({ state }) => state !== 'ok')
    .map(({ subject, state, text, advice }) => `${state} ${subject}: ${text} | ${advice}`);
}

describe('the look at the server', () => {
  it('finds nothing where all is in order', () => expect(badOf({})).toEqual([]));

  it.each<[string, Partial<ServerFacts>, RegExp]>([
    [
      'a key that others may read',
      { secrets: { ...secrets, files: [{ path: '/k', mode: 0o640, isOwn: true, kind: 'key' }] } },
      /^problem \/k: others may read it \(mode 640\), so it is not used \| chmod 600 \/k$/,
    ],
    [
      'a key of TLS that anyone may read',
      { secrets: { ...secrets, files: [{ path: '/k', mode: 0o644, isOwn: true, kind: 'tls-key' }] } },
      /^problem \/k: others may read it \(mode 644\), so busyd will not start again \| chmod 600 \/k$/,
    ],
    [
      'a file with a password that others may read',
      { secrets: { ...secrets, files: [{ path: '/k', mode: 0o604, isOwn: true, kind: 'password' }] } },
      /^problem \/k: others may read it \(mode 604\) \| chmod 600 \/k$/,
    ],
    [
      'a lock of somebody else',
      { locks: [{ backupdir: '/srv/backup', owner: 'another busyd (process 7 on machine b)' }] },
      /^problem lock on \/srv\/backup: is held by another busyd/,
    ],
    [
      'a certificate that ends soon',
      { certificate: { file: '/t/server.crt', expiresAt: new Date('2026-12-25T12:00:00Z') } },
      /^warning \/t\/server.crt: expires in 29 days .*make-cert/,
    ],
    [
      'a certificate that has ended',
      { certificate: { file: '/t/server.crt', expiresAt: new Date('2026-11-25T12:00:00Z') } },
      /^problem \/t\/server.crt: has expired/,
    ],
    [
      'tables that a newer version has changed',
      { tables: { pending: [], unknown: ['New9'], clockAheadMs: null } },
      /^problem tables: a newer BUSY has changed them \(New9\)/,
    ],
    [
      'tables that lack changes',
      { tables: { pending: ['Own1'], unknown: [], clockAheadMs: null } },
      /^problem tables: 1 changes of this version are not made/,
    ],
    [
      'a database with another clock',
      { tables: { pending: [], unknown: [], clockAheadMs: -7500 } },
      /^warning clock of the database: is 7.5 s behind ours/,
    ],
    [
      'a time zone that is not known',
      { timeZones: [{ name: 'Mars/Base', isKnown: false }] },
      /^problem time zone Mars\/Base/,
    ],
    [
      'an rsync that cannot be confined',
      { confinement: { ...unconfined, mode: 'auto', why: 'bwrap (bubblewrap) is not installed' } },
      /^warning confinement: own process group .*no more, since bwrap .* \| Install bubblewrap/,
    ],
    [
      'one whose memory is not bounded',
      { confinement: { ...unconfined, mode: 'auto', isBoxed: true, isMemoryBounded: false, why: '' } },
      /^warning confinement: .*memory not bounded.* \| Install prlimit/,
    ],
    [
      'one that must be',
      { confinement: { ...unconfined, mode: 'required', why: 'it is forbidden' } },
      /^problem confinement: /,
    ],
    [
      'a key that is missing',
      { secrets: { ...secrets, files: [{ path: '/k', mode: null, isOwn: false, kind: 'key' }] } },
      /^warning \/k: is not there/,
    ],
    [
      'a state directory that others may write to',
      { stateDir: { path: '/s', mode: 0o777, isOwn: true } },
      /^problem \/s: others may write there/,
    ],
    [
      'a state directory of another user',
      { stateDir: { path: '/s', mode: 0o750, isOwn: false } },
      /^problem \/s/,
    ],
    [
      'a password in a file that others may read',
      { secrets: { ...secrets, hasPasswordInConfig: true } },
      /^warning .*holds a password/,
    ],
    [
      'a configuration that anyone may write',
      { secrets: { ...secrets, configFile: { path: '/c', mode: 0o666, isOwn: true } } },
      /^problem \/c: anyone may write it/,
    ],
    [
      'a disk that is gone',
      { disks: [{ directory: '/b', use: 'backupdir', room: null }] },
      /^problem backupdir \/b: cannot be read/,
    ],
    [
      'a disk that is nearly full',
      {
        disks: [{ directory: '/b', use: 'backupdir', room: { ...room, free: { bytes: 1e9, inodes: 500 } } }],
      },
      /^warning backupdir \/b: .* are free/,
    ],
    [
      'a disk with few inodes',
      {
        disks: [{ directory: '/b', use: 'archivedir', room: { ...room, free: { bytes: 50e9, inodes: 1 } } }],
      },
      /^warning archivedir \/b: .*few inodes/,
    ],
    ['a database that is away', { databaseAwaySince: good.now }, /^problem database: away since 2026-11-26/],
    ['mail that nobody takes', { mailTrouble: 'ECONNREFUSED' }, /^problem mail: ECONNREFUSED/],
    ['mail to nobody', { hasRecipients: false, mailTrouble: 'ENOENT' }, /^warning mail: no address/],
    ['a clock that was reset', { now: new Date(0) }, /^problem clock: it says 1970/],
    [
      'an rsync that is too old',
      { rsync: { wrong: 'too old', advice: 'Update it.' } },
      /^problem rsync: too old/,
    ],
    [
      'a program that is missing',
      { programs: [{ name: 'pigz', isThere: false, use: 'slow' }] },
      /^warning pigz: is not there; slow \| Install pigz\.$/,
    ],
  ])('finds %s, and says what to do', (_, changes, expected) => {
    const found = badOf(changes);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
    expect(found[0]).toMatch(/\| .+/);
  });
});
