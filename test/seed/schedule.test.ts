/**
 * The seed's section "Configuration": the settings that say when a backup is made and of which type. Each title is
 * the line of the seed that explains the setting; the configuration is read from text, as the daemon reads it.
 */
import { describe, expect, it } from 'vitest';
import { DueRules, type DueDecision } from '../../src/core/due.js';
import type { Host } from '../../src/core/host.js';
import type { BackupType, SnapshotRecord } from '../../src/core/snapshot.js';
import { parsed } from '../config/parsed.js';
import { sampleSnapshot } from '../store/samples.js';

const dayMs = 86_400_000;
const now = new Date('2026-11-22T14:00:00Z');

/** Two hosts: one as the defaults say, one with settings of its own. */
function hostsWith(defaults: string, own = ''): readonly [Host, Host] {
  const [plain, special] = parsed(`
defaults: { backupdir: /b, srcdirs: [/etc], time_zone: UTC, ${defaults} }
hosts:
  - { name: plain }
  - { name: special, ${own} }
`).hosts;
  if (!plain || !special) throw new Error('both hosts are there');
  return [plain, special];
}

/** Snapshots that were begun so many days ago, newest first. */
function snapshots(...ages: readonly (readonly [type: BackupType, days: number])[]): SnapshotRecord[] {
  return ages.map(([type, days], index) =>
    sampleSnapshot(`2026-11-0${9 - index}_20-00-05${type === 'full' ? 'f' : 'i'}`, {
      type,
      startedAt: new Date(now.getTime() - days * dayMs),
    }),
  );
}

function decide(host: Host, made: readonly SnapshotRecord[], at = now): DueDecision {
  return new DueRules().decide({ host, snapshots: made, lastRun: null, failuresInRow: 0, now: at });
}

/** So many incremental snapshots since a full one, all of today. */
function incrementals(count: number): SnapshotRecord[] {
  const young = Array.from({ length: count }, () => ['incremental', 0.1] as const);
  return snapshots(...young, ['full', 0.2]);
}

function typeOf(host: Host, made: readonly SnapshotRecord[]): BackupType {
  return new DueRules().typeNow({ host, snapshots: made, now }, 'auto').type;
}

function isDueAt(host: Host, time: string): boolean {
  return decide(host, [], new Date(`2026-11-22T${time}Z`)).isDue;
}

function typeAtAge(host: Host, days: number): BackupType {
  return typeOf(host, snapshots(['incremental', 0.1], ['full', days]));
}

function isDueAtAge(host: Host, days: number): boolean {
  return decide(host, snapshots(['incremental', days], ['full', 3])).isDue;
}

describe('The available settings', () => {
  it('schedule: Specify a list of times, when to look for backups', () => {
    const [plain, special] = hostsWith('schedule: ["14:00", "20:00"], catch_up: 0', 'schedule: ["15:30"]');
    const times = ['13:59:59', '14:00:00', '14:00:59', '14:01:00', '15:30:00', '20:00:00'];
    expect(times.filter((time) => isDueAt(plain, time))).toEqual(['14:00:00', '14:00:59', '20:00:00']);
    expect(times.filter((time) => isDueAt(special, time))).toEqual(['15:30:00']);
  });

  it('max_incr: Give the number of maximum incremental backups before a new full backup is done', () => {
    const [plain, special] = hostsWith('max_incr: 3', 'max_incr: 1');
    const counts = [0, 1, 2, 3, 4];
    expect(counts.map((count) => typeOf(plain, incrementals(count)))).toEqual([
      'incremental',
      'incremental',
      'incremental',
      'full',
      'full',
    ]);
    expect(counts.map((count) => typeOf(special, incrementals(count)))).toEqual([
      'incremental',
      'full',
      'full',
      'full',
      'full',
    ]);
  });

  it('max_age_full: give the max age in days (decimals allowed) that a full backup may be old', () => {
    const [plain, special] = hostsWith('max_age_full: 7', 'max_age_full: 0.5');
    expect([0.49, 0.5, 6.99, 7].map((days) => typeAtAge(plain, days))).toEqual([
      'incremental',
      'incremental',
      'incremental',
      'full',
    ]);
    expect([0.49, 0.5].map((days) => typeAtAge(special, days))).toEqual(['incremental', 'full']);
  });

  it('max_age_incr: give the max age in days (decimals allowed) that an incremental backup may be old', () => {
    const [plain, special] = hostsWith('max_age_incr: 1', 'max_age_incr: 0.25');
    expect([0.24, 0.25, 0.99, 1].map((days) => isDueAtAge(plain, days))).toEqual([false, false, false, true]);
    expect([0.24, 0.25].map((days) => isDueAtAge(special, days))).toEqual([false, true]);
  });

  // The seed's README says "a full backup" of both; its source makes an incremental one when only the age asks for it.
  it('If the newest incremental backup is older than specified here or there are more than max_incr incremental backups, then a backup will be triggered', () => {
    const [host] = hostsWith('max_incr: 2, max_age_incr: 1, max_age_full: 7');
    const old = decide(host, snapshots(['incremental', 1.1], ['full', 3]));
    expect(old).toMatchObject({ isDue: true, type: { type: 'incremental' } });
    const many = decide(host, snapshots(['incremental', 1.1], ['incremental', 2.1], ['full', 3]));
    expect(many).toMatchObject({ isDue: true, type: { type: 'full' } });
    const young = decide(host, snapshots(['incremental', 0.9], ['incremental', 2.1], ['full', 3]));
    expect(young.isDue).toBe(false);
  });

  it('without any of them the settings are those of the original', () => {
    const [host] = hostsWith('');
    expect(host).toMatchObject({ user: 'root', maxIncr: 10, maxAgeIncr: 1, maxAgeFull: 7, excludes: [] });
    expect(host.schedule.slots).toEqual([]);
    expect(host.mail.to).toEqual([]);
  });
});
