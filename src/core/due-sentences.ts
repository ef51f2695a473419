/** What the rules of `due.ts` say, in plain words. They are made where somebody reads them, not for each decision. */
import type { DueReason } from './due-reason.js';
import { isHeld, type SnapshotRecord } from './snapshot.js';

const dayMs = 24 * 60 * 60 * 1000;

export function sentenceOf(reason: DueReason): string {
  switch (reason.kind) {
    case 'snapshots ahead':
      return `${reason.count} snapshots lie in the future and do not count; is the clock right?`;
    case 'no schedule':
      return 'there is no schedule, so it is always on schedule';
    case 'by hand':
      return 'its schedule is never: only by hand';
    case 'no slot yet':
      return 'no time of the schedule has come yet';
    case 'slot':
      return `the schedule asked for it at ${show(reason.at)}${reason.isYes ? '' : ', longer ago than catch_up'}`;
    case 'no snapshot':
      return 'there is no snapshot yet';
    case 'slot is served':
      return `the snapshot ${reason.snapshot.name} was made for that time`;
    case 'age at slot': {
      const stands = `${nameOf(reason.snapshot)} stands for ${show(reason.from)}, ${days(reason.ageMs)} days before`;
      return `the youngest snapshot ${stands}, ${relationTo(reason)}`;
    }
    case 'age now': {
      const { snapshot, ageMs } = reason;
      return `the youngest snapshot ${nameOf(snapshot)} is ${days(ageMs)} days old, ${relationTo(reason)}`;
    }
    case 'cancelled':
      return 'the last run was cancelled on request';
    case 'failed': {
      const times = reason.times === 1 ? 'the last run' : `the last ${reason.times} runs`;
      const failed = `${times} failed${reason.cause === null ? '' : ` (${reason.cause})`}`;
      return reason.isYes
        ? `${failed}, and it is time to try again`
        : `${failed}; it is tried again at ${show(reason.again)}`;
    }
    case 'window open':
      return 'its window is open';
    case 'window closed':
      return `its window is closed${reason.opensAt ? `; it opens at ${show(reason.opensAt)}` : ''}`;
    default:
      return reason satisfies never;
  }
}

function nameOf(snapshot: SnapshotRecord): string {
  return isHeld(snapshot) ? `${snapshot.name} (held)` : snapshot.name;
}

function relationTo({ wantedMs, isYes }: { readonly wantedMs: number; readonly isYes: boolean }): string {
  return `which is ${isYes ? 'at least' : 'less than'} max_age_incr (${days(wantedMs)})`;
}

function days(ms: number): string {
  return (ms / dayMs).toFixed(2).replace(/\.?0+$/, '');
}

function show(moment: Date): string {
  return moment.toISOString().replace(/\.\d+Z$/, 'Z');
}
