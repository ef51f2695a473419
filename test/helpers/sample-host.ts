/** A host for tests, complete; give only what the test is about. */
import type { Host } from '../../src/core/host.js';
import type { ScriptSettings } from '../../src/core/settings.js';

/** Scripts that are not there. */
export const noScripts: ScriptSettings = {
  preBackup: '/nonexistent/pre-backup',
  postBackup: '/nonexistent/post-backup',
  preArchive: '/nonexistent/pre-archive',
  postArchive: '/nonexistent/post-archive',
  timeoutMs: 600_000,
};

export function sampleHost(changes: Partial<Host> = {}): Host {
  return {
    name: 'web1',
    hostname: 'web1',
    addresses: ['192.0.2.10'],
    port: 22,
    user: 'backup',
    identityFile: '/var/lib/busy/keys/web1',
    identityPassphraseFile: '',
    identityAgent: '',
    restoreIdentityFile: '',
    hostKey: 'SHA256:abc',
    backupdir: '/srv/backup',
    minFree: { unit: 'percent', amount: 1 },
    srcdirs: ['/etc'],
    excludes: [],
    volatile: [],
    initiator: 'server',
    rsyncOpts: ['-aHAXS', '--numeric-ids'],
    rsyncPath: ['rsync'],
    bandwidthLimit: '',
    jobsAtOnce: 1,
    maxAge: 30,
    archivedir: '',
    archive: { slots: ['03:00'], format: 'tar.gz', level: 0, threads: 0, keep: null, copyTo: '' },
    maxIncr: 10,
    maxAgeFull: 7,
    maxAgeIncr: 1,
    connectTimeoutMs: 10_000,
    idleTimeoutMs: 600_000,
    timeoutMs: 0,
    schedule: { slots: 'never', timeZone: 'UTC', catchUpMs: 86_400_000, jitterMs: 0 },
    windows: [],
    retryAfterMs: 300_000,
    alertAfter: 7,
    preCommand: '',
    postCommand: '',
    commandTimeoutMs: 600_000,
    keep: null,
    gate: { maxShrink: 0.5, maxChange: 0.8, allowEmpty: false },
    verifyEvery: 30,
    verifySchedule: ['01:00-05:00'],
    drillSchedule: [],
    drillSample: 100,
    drillPaths: [],
    drillCommand: [],
    mail: { to: [], when: 'never', includesPartial: true, reminderMs: 0 },
    ...changes,
  };
}
