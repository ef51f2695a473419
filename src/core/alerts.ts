/**
 * Which mails a host's history calls for. Pure: the state goes in with what has happened, and comes out with the
 * alerts. Whoever keeps the state together with the alerts tells everything once.
 */
import { isAbsence } from './absence.js';
import type { Host } from './host.js';
import type { RunRecord, RunState } from './run.js';

/** What is remembered of a host between two decisions. */
export interface AlertState {
  readonly host: string;
  /** When the host was first looked at; without any snapshot its absence counts from here. */
  readonly watchedSince: Date;
  /** The end of the first of the runs that failed in a row; null while it does not fail. */
  readonly failingSince: Date | null;
  /** How many runs failed in a row. */
  readonly failureCount: number;
  /** The end of the newest of them. */
  readonly lastFailureAt: Date | null;
  /** When a mail last told of them; null when none did. */
  readonly failureToldAt: Date | null;
  /** The newest of them, while no mail has told of it. */
  readonly untoldRunId: string | null;
  /** When a mail last told of a held snapshot in this row of failures; null when none did. */
  readonly heldToldAt: Date | null;
  /** When a mail last told that archiving fails; null when none did or it is over. */
  readonly archiveToldAt: Date | null;
  /** When a mail last told that there was no snapshot for too long; null when none did or it is over. */
  readonly overdueToldAt: Date | null;
  /** Runs up to this revision have been judged. */
  readonly revision: number;
}

export type AlertKind =
  | 'failing'
  | 'failed_again'
  | 'still_failing'
  | 'recovered'
  | 'overdue'
  | 'still_overdue'
  | 'back'
  | 'damaged'
  | 'archiving_failed'
  | 'archive_damaged'
  | 'drill_failed';

/** One mail to write, to each of the host's recipients. */
export interface Alert {
  readonly kind: AlertKind;
  /** The run it tells of; null when none does. */
  readonly runId: string | null;
  /** The history it tells of: what was before, when something is over. */
  readonly history: AlertState;
}

export interface Decision {
  readonly state: AlertState;
  readonly alerts: readonly Alert[];
}

export interface Moment {
  readonly now: Date;
  /** When the newest committed snapshot was begun; null when there is none. */
  readonly newestSnapshotAt: Date | null;
  /** Since when the daemon could have made backups. */
  readonly daemonStartedAt: Date;
}

type Rules = Pick<Host, 'mail' | 'alertAfter'>;

const dayMs = 86_400_000;
/** After a long time without a daemon the hosts first get a chance. */
const overdueGraceMs = 3_600_000;

/** The state of a host that nothing is known of. */
export function newAlertState(host: string, now: Date, revision: number): AlertState {
  return { host, watchedSince: now, ...notFailing, archiveToldAt: null, overdueToldAt: null, revision };
}

/** What follows from the end of a run. */
export function decideAfterRun(rules: Rules, state: AlertState, run: RunRecord, moment: Moment): Decision {
  const judged = { ...state, revision: Math.max(state.revision, run.revision) };
  if (run.kind === 'archive') return afterArchiving(rules, judged, run, moment.now);
  // Who asked for a restore waits for its end.
  if (run.kind === 'restore') return { state: judged, alerts: [] };
  if (run.kind !== 'backup') return afterVerification(rules, judged, run);
  const meaning = meaningOf(run, rules);
  if (meaning === 'success') return afterSuccess(rules, judged, run);
  if (meaning === 'failure') {
    const failed = withFailure(judged, run, moment.now);
    return isOfHeld(run) ? tellHeld(rules, failed, moment) : decideAfterTime(rules, failed, moment);
  }
  return { state: judged, alerts: [] };
}

/** What follows from the passing of time. The same state comes out when nothing does. */
export function decideAfterTime(rules: Rules, state: AlertState, moment: Moment): Decision {
  const told = tellFailure(rules, state, moment.now);
  const overdue = tellOverdue(rules, told.state, moment);
  // A mail of a failure shows the newest snapshot too: no second one at the same moment.
  return told.alerts.length > 0 ? { state: overdue.state, alerts: told.alerts } : overdue;
}

const notFailing = {
  failingSince: null,
  failureCount: 0,
  lastFailureAt: null,
  failureToldAt: null,
  untoldRunId: null,
  heldToldAt: null,
} as const;

function meaningOf(run: RunRecord, { mail, alertAfter }: Rules): 'success' | 'failure' | 'nothing' {
  // A host that is not there is no failure; it becomes overdue. One that goes away in each backup must not be forgotten.
  if (isAbsence(run))
    return alertAfter > 0 || run.error?.reason === 'HOST_UNREACHABLE' ? 'nothing' : 'failure';
  if (isOfHeld(run)) return 'failure';
  if (run.state === 'PARTIAL') return mail.includesPartial ? 'failure' : 'success';
  return meanings[run.state];
}

const meanings = {
  SUCCEEDED: 'success',
  FAILED: 'failure',
  INTERRUPTED: 'failure',
  // Someone wanted it so.
  CANCELLED: 'nothing',
  QUEUED: 'nothing',
  RUNNING: 'nothing',
  CANCELLING: 'nothing',
} as const satisfies Record<Exclude<RunState, 'PARTIAL'>, string>;

function isOfHeld({ error }: RunRecord): boolean {
  return error?.reason === 'SNAPSHOT_HELD';
}

/** That a snapshot is held is told at once, also of a host that fails anyway: it waits for a person. */
function tellHeld(rules: Rules, state: AlertState, moment: Moment): Decision {
  const isFirst = state.heldToldAt === null && rules.mail.when === 'on_change';
  const decision = decideAfterTime(rules, isFirst ? { ...state, failureToldAt: null } : state, moment);
  if (!decision.alerts.some(({ runId }) => runId === state.untoldRunId))
    return decideAfterTime(rules, state, moment);
  return { ...decision, state: { ...decision.state, heldToldAt: moment.now } };
}

function withFailure(state: AlertState, run: RunRecord, now: Date): AlertState {
  const endedAt = run.endedAt ?? now;
  return {
    ...state,
    failingSince: state.failingSince ?? endedAt,
    failureCount: state.failureCount + 1,
    lastFailureAt: endedAt,
    untoldRunId: run.id,
  };
}

/** It says nothing of whether the host can be backed up; what it finds is told each time. */
function afterVerification(rules: Rules, state: AlertState, run: RunRecord): Decision {
  const kind = damageKinds.get(run.error?.reason ?? '');
  if (kind === undefined || !isTelling(rules)) return { state, alerts: [] };
  return { state, alerts: [{ kind, runId: run.id, history: state }] };
}

const damageKinds: ReadonlyMap<string, AlertKind> = new Map<string, AlertKind>([
  ['SNAPSHOT_DAMAGED', 'damaged'],
  ['ARCHIVE_DAMAGED', 'archive_damaged'],
  ['DRILL_FAILED', 'drill_failed'],
  ['DRILL_BROKEN', 'drill_failed'],
]);

/** The schedule comes each night; a disk that stays full is told once, and again as a reminder. */
function afterArchiving(rules: Rules, state: AlertState, run: RunRecord, now: Date): Decision {
  if (run.state === 'SUCCEEDED') return { state: { ...state, archiveToldAt: null }, alerts: [] };
  if ((run.state !== 'FAILED' && run.state !== 'PARTIAL') || !isTelling(rules)) return { state, alerts: [] };
  const { archiveToldAt } = state;
  const isToTell =
    archiveToldAt === null ||
    rules.mail.when === 'every_failure' ||
    isReminderDue(rules.mail, archiveToldAt, now);
  if (!isToTell) return { state, alerts: [] };
  return {
    state: { ...state, archiveToldAt: now },
    alerts: [{ kind: 'archiving_failed', runId: run.id, history: state }],
  };
}

function afterSuccess(rules: Rules, state: AlertState, run: RunRecord): Decision {
  const over = { ...state, ...notFailing, overdueToldAt: null };
  const kind = !isTelling(rules) ? null : endingKind(rules, state);
  return { state: over, alerts: kind === null ? [] : [{ kind, runId: run.id, history: state }] };
}

function endingKind({ mail }: Rules, state: AlertState): AlertKind | null {
  if (mail.when === 'on_change' && state.failureToldAt !== null) return 'recovered';
  return state.overdueToldAt === null ? null : 'back';
}

function tellFailure(rules: Rules, state: AlertState, now: Date): Decision {
  const kind = isTelling(rules) && state.untoldRunId !== null ? failureKind(rules, state, now) : null;
  if (kind === null) return { state, alerts: [] };
  const alert = { kind, runId: state.untoldRunId, history: state };
  return { state: { ...state, failureToldAt: now, untoldRunId: null }, alerts: [alert] };
}

function failureKind({ mail }: Rules, { failureToldAt }: AlertState, now: Date): AlertKind | null {
  if (failureToldAt === null) return 'failing';
  if (mail.when === 'every_failure') return 'failed_again';
  return isReminderDue(mail, failureToldAt, now) ? 'still_failing' : null;
}

function tellOverdue(rules: Rules, state: AlertState, moment: Moment): Decision {
  const { now } = moment;
  const { overdueToldAt } = state;
  if (!isOverdue(rules, state, moment)) {
    if (overdueToldAt === null) return { state, alerts: [] };
    const back = { kind: 'back', runId: null, history: state } as const;
    return { state: { ...state, overdueToldAt: null }, alerts: isTelling(rules) ? [back] : [] };
  }
  const isDue =
    isTelling(rules) &&
    now.getTime() - moment.daemonStartedAt.getTime() >= overdueGraceMs &&
    !isKnownToFail(rules, state, now) &&
    (overdueToldAt === null || isReminderDue(rules.mail, overdueToldAt, now));
  if (!isDue) return { state, alerts: [] };
  const kind = overdueToldAt === null ? 'overdue' : 'still_overdue';
  return { state: { ...state, overdueToldAt: now }, alerts: [{ kind, runId: null, history: state }] };
}

function isOverdue({ alertAfter }: Rules, state: AlertState, moment: Moment): boolean {
  const since = moment.newestSnapshotAt ?? state.watchedSince;
  return alertAfter > 0 && moment.now.getTime() - since.getTime() >= alertAfter * dayMs;
}

/** A host that is there and fails has its own mails. */
function isKnownToFail({ alertAfter }: Rules, state: AlertState, now: Date): boolean {
  const { failureToldAt, lastFailureAt } = state;
  if (failureToldAt === null || lastFailureAt === null) return false;
  return now.getTime() - lastFailureAt.getTime() < alertAfter * dayMs;
}

function isTelling({ mail }: Rules): boolean {
  return mail.when !== 'never' && mail.to.length > 0;
}

/** Also when the clock was far in the future at the last mail, so that its correction silences nobody. */
function isReminderDue({ reminderMs }: Rules['mail'], toldAt: Date, now: Date): boolean {
  return reminderMs > 0 && Math.abs(now.getTime() - toldAt.getTime()) >= reminderMs;
}
