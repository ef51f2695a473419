/**
 * Which snapshots of a host are kept, and why. Pure. Counts snapshots and calendar periods instead of ages, so a host
 * that was away for a year loses nothing.
 *
 * Whatever `keep` says, three stay: the newest, the newest whole one, and the youngest full one. These are also the
 * link bases of the next backup (`execute/link-bases.ts`), so a backup that runs meanwhile never loses its bases.
 *
 * A snapshot that the source gate holds stands for nothing here: no rule counts it, and while it is the newest nothing
 * else is removed. Only the newest held one is kept, so that a source that stays wrong does not fill the disk.
 */
import type { Host, KeepRules } from './host.js';
import { isHeld, type SnapshotRecord } from './snapshot.js';

export interface RetentionFacts {
  readonly host: Host;
  /** Committed ones that are on the disk now, newest first; what is not there can stand for nothing. */
  readonly snapshots: readonly SnapshotRecord[];
  /** How many of the last runs failed, one after the other; 0 also when the newest failed for want of space. */
  readonly failuresInRow: number;
}

export interface Verdict {
  readonly snapshot: SnapshotRecord;
  readonly isKept: boolean;
  /** One plain sentence without a full stop. */
  readonly reason: string;
}

export interface RetentionDecision {
  /** One for each snapshot, newest first. */
  readonly verdicts: readonly Verdict[];
  /** Why nothing is removed at the moment, whatever the rules say; empty when nothing stands against it. */
  readonly frozen: string;
}

/** Judges all snapshots of a host. */
export function judgeSnapshots(facts: RetentionFacts): RetentionDecision {
  const { host, snapshots } = facts;
  const held = snapshots.filter(isHeld);
  const good = snapshots.filter((snapshot) => !isHeld(snapshot));
  const [newestHeld] = held;
  const isHeldNow = newestHeld !== undefined && newestHeld === snapshots[0];
  const frozen = isHeldNow
    ? `${newestHeld.name} is held, and until it is acknowledged or a later backup is good nothing is removed`
    : facts.failuresInRow > 0
      ? 'the newest backup failed, and until one succeeds nothing is removed'
      : '';
  const judged = judgeGood(host, good, frozen);
  const verdicts = [...judged.verdicts, ...held.map((snapshot) => judgeHeld(host, snapshots, snapshot))];
  return { verdicts: verdicts.sort(newestFirst), frozen: judged.frozen };
}

function judgeHeld({ keep }: Host, snapshots: readonly SnapshotRecord[], snapshot: SnapshotRecord): Verdict {
  const newer = snapshots.slice(0, snapshots.indexOf(snapshot));
  const successor = newer.find(isHeld);
  if (successor)
    return {
      snapshot,
      isKept: false,
      reason: `it was held, and the newer held ${successor.name} takes its place`,
    };
  const [good] = newer;
  if (good && keep !== null)
    return { snapshot, isKept: false, reason: `it was held, and the later ${good.name} is good` };
  return { snapshot, isKept: true, reason: 'it is held until it is acknowledged or discarded' };
}

function newestFirst(a: Verdict, b: Verdict): number {
  return a.snapshot.name < b.snapshot.name ? 1 : -1;
}

function judgeGood(host: Host, snapshots: readonly SnapshotRecord[], frozen: string): RetentionDecision {
  const { keep } = host;
  if (keep === null) {
    const reason = 'the host has no keep, so nothing of it is ever removed';
    return { verdicts: snapshots.map((snapshot) => ({ snapshot, isKept: true, reason })), frozen: '' };
  }
  const dayOf = dayIn(host.schedule.timeZone);
  const dated = snapshots.map((snapshot) => ({ snapshot, day: dayOf(snapshot.startedAt) }));
  const periods = periodRules(keep).map((rule) => applyPeriods(rule, dated));
  const verdicts = dated.map((entry, index): Verdict => {
    const { snapshot } = entry;
    const reasons = [...alwaysKept(snapshots, snapshot), ...keptAsLast(keep, index)];
    for (const period of periods) reasons.push(...period.keptAs(entry));
    if (reasons.length > 0) return { snapshot, isKept: true, reason: reasons.join(', ') };
    const why = ['no rule keeps it', ...periods.flatMap((period) => period.notKept(entry))].join('; ');
    if (frozen !== '') return { snapshot, isKept: true, reason: `${frozen} (${why})` };
    return { snapshot, isKept: false, reason: why };
  });
  return { verdicts, frozen };
}

function alwaysKept(snapshots: readonly SnapshotRecord[], snapshot: SnapshotRecord): string[] {
  const newestOf = (isOne: (other: SnapshotRecord) => boolean): boolean => snapshots.find(isOne) === snapshot;
  return [
    ...(snapshots[0] === snapshot ? ['the newest'] : []),
    ...(newestOf(isWhole) ? ['the newest whole one'] : []),
    ...(newestOf(({ type }) => type === 'full') ? ['the youngest full one'] : []),
  ];
}

/** Neither files that could not be read nor ones that a verification has found damaged. */
function isWhole({ outcome, damagedFileCount }: SnapshotRecord): boolean {
  return outcome === 'SUCCEEDED' && damagedFileCount === 0;
}

function keptAsLast({ last }: KeepRules, index: number): string[] {
  return index < last ? [`one of the last ${last}`] : [];
}

/** A snapshot and the calendar day of its start, as 2026-11-22. */
interface Dated {
  readonly snapshot: SnapshotRecord;
  readonly day: string;
}

interface PeriodRule {
  /** The name of the setting. */
  readonly name: string;
  readonly unit: string;
  readonly count: number;
  /** Names the period of a day. Periods sort as their days do. */
  readonly periodOf: (day: string) => string;
}

function periodRules(keep: KeepRules): PeriodRule[] {
  const rules: PeriodRule[] = [
    { name: 'daily', unit: 'day', count: keep.daily, periodOf: (day) => day },
    { name: 'weekly', unit: 'week', count: keep.weekly, periodOf: weekOf },
    { name: 'monthly', unit: 'month', count: keep.monthly, periodOf: (day) => day.slice(0, 7) },
    { name: 'yearly', unit: 'year', count: keep.yearly, periodOf: (day) => day.slice(0, 4) },
  ];
  return rules.filter(({ count }) => count > 0);
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function dayIn(timeZone: string): (moment: Date) => string {
  const options = { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' } as const;
  const format = formatters.get(timeZone) ?? new Intl.DateTimeFormat('en-US', options);
  formatters.set(timeZone, format);
  return (moment) => {
    const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, value]));
    return `${parts.get('year')}-${parts.get('month')}-${parts.get('day')}`;
  };
}

/** A week is named by its Monday, as in ISO 8601. */
function weekOf(day: string): string {
  const monday = new Date(`${day}T00:00:00Z`);
  monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
  return monday.toISOString().slice(0, 10);
}

interface AppliedRule {
  keptAs(entry: Dated): string[];
  notKept(entry: Dated): string[];
}

/**
 * Of each of the newest periods that have a snapshot, the newest whole one is kept, else the newest of all. A
 * period without any does not count: a host that was away keeps what it has.
 */
function applyPeriods(rule: PeriodRule, dated: readonly Dated[]): AppliedRule {
  const chosen = new Map<string, SnapshotRecord>();
  const newestPeriods = [...new Set(dated.map(({ day }) => rule.periodOf(day)))].sort().slice(-rule.count);
  const wanted = new Set(newestPeriods);
  for (const { snapshot, day } of dated) {
    const period = rule.periodOf(day);
    const best = chosen.get(period);
    if (wanted.has(period) && (!best || (!isWhole(best) && isWhole(snapshot)))) chosen.set(period, snapshot);
  }
  return {
    keptAs: ({ snapshot, day }) => {
      const period = rule.periodOf(day);
      return chosen.get(period) === snapshot
        ? [`${rule.name} for the ${rule.unit} ${shown(rule, period)}`]
        : [];
    },
    notKept: ({ day }) => {
      const best = chosen.get(rule.periodOf(day));
      if (best) return [`${best.name} is kept for its ${rule.unit}`];
      return [`its ${rule.unit} is older than the ${rule.count} of ${rule.name}`];
    },
  };
}

function shown(rule: PeriodRule, period: string): string {
  return rule.unit === 'week' ? `from ${period}` : period;
}
