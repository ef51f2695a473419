/**
 * The words of each mail. Pure. Whatever came from a host or its administrator is escaped and cut, so that it can
 * neither break the layout nor fill the mailbox; the mails are plain text with short lines.
 */
import type { AlertKind, AlertState } from '../core/alerts.js';
import type { AlertFacts, MailText, MailWriter } from '../core/mail.js';
import type { DrillRecord } from '../core/drill.js';
import { isDamage } from '../core/manifest.js';
import type { RunRecord } from '../core/run.js';
import type { SnapshotRecord } from '../core/snapshot.js';
import type { VerificationRecord } from '../core/verification.js';
import { digestMail } from './digest.js';
import { clean, formatAge, formatMoment, subjectOf } from './mail-format.js';

const filesShown = 20;
const linesShown = 20;

/** The mails of a server with this hostname. */
export function createMailWriter(server: string): MailWriter {
  return {
    alert: (facts) => alertMail(server, facts),
    digest: (entries, now) => digestMail(server, entries, now),
    test: (now) => ({
      subject: subjectOf(server, 'test of mail'),
      text: `This is the mail that was asked for on ${clean(server)} at ${formatMoment(now)}.\nMail from BUSY arrives here.\n`,
    }),
  };
}

function alertMail(server: string, facts: AlertFacts): MailText {
  const { subject, opening } = wordsOf(facts)[facts.alert.kind];
  const parts = [
    [opening],
    reasonPart(facts),
    sincePart(facts),
    sourcesPart(facts.run),
    filesPart(facts.run),
    logPart(facts.logLines),
    advicePart(facts),
  ];
  const text = parts.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return {
    subject: subjectOf(server, `${facts.host} ${subject}`),
    text: `${text.join('\n\n')}\n\n-- \nBUSY on ${clean(server)}, ${formatMoment(facts.now)}\n`,
  };
}

function wordsOf(facts: AlertFacts): Readonly<Record<AlertKind, { subject: string; opening: string }>> {
  const { host, run } = facts;
  const isHeld = isOfHeld(run);
  const state = isHeld ? 'HELD' : (run?.state ?? 'FAILED');
  const why = run?.error && !isHeld ? ` (${run.error.reason})` : '';
  const happened = isHeld
    ? `The backup of host ${host} made a snapshot, but its source has changed so much that the snapshot is held.`
    : state === 'PARTIAL'
      ? `The backup of host ${host} made a snapshot, but files are missing from it.`
      : state === 'INTERRUPTED'
        ? `The backup of host ${host} was interrupted.`
        : `The backup of host ${host} failed.`;
  const absent = `Host ${host} has had no snapshot for ${facts.alertAfter} days or more.`;
  return {
    failing: { subject: `${state}${why}`, opening: happened },
    failed_again: { subject: `${state}${why}`, opening: happened },
    still_failing: { subject: `still ${state}${why}`, opening: `${happened} It was not the first time.` },
    recovered: { subject: 'recovered', opening: `The backups of host ${host} succeed again.` },
    overdue: { subject: 'OVERDUE', opening: absent },
    still_overdue: { subject: 'still OVERDUE', opening: absent },
    back: { subject: 'is back', opening: `Host ${host} has a new snapshot again.` },
    archiving_failed: {
      subject: `archiving ${state}${why}`,
      opening: `Snapshots of host ${host} could not be archived. They stay on the backup disk.`,
    },
    archive_damaged: {
      subject: 'DAMAGED archive',
      opening: `An archive of host ${host} is damaged.`,
    },
    damaged: {
      subject: 'DAMAGED files in snapshots',
      opening: `Files in the snapshots of host ${host} are damaged or missing on the backup disk.`,
    },
    drill_failed: {
      subject: 'restore drill FAILED',
      opening: `A restore of host ${host} was tried, and what came back is not what was backed up.`,
    },
  };
}

function reasonPart({ run }: AlertFacts): string[] {
  if (!run?.error || run.state === 'SUCCEEDED') return [];
  const { reason, message, advice } = run.error;
  return [`Reason: ${clean(reason)}`, `  ${clean(message)}`, `  ${clean(advice)}`];
}

function sincePart({ alert, run, newestSnapshot, now }: AlertFacts): string[] {
  const { kind, history } = alert;
  const isOver = kind === 'recovered' || kind === 'back';
  return [
    ...(run ? [`Run:             ${run.id}, ${runTimes(run)}`] : []),
    ...failureLines(history, isOver, now),
    `Newest snapshot: ${snapshotText(newestSnapshot, now)}`,
  ];
}

function failureLines(history: AlertState, isOver: boolean, now: Date): string[] {
  const { failingSince, failureCount } = history;
  if (failingSince === null) return [];
  const runs = failureCount === 1 ? '1 run' : `${failureCount} runs in a row`;
  const since = `${formatMoment(failingSince)} (${formatAge(failingSince, now)} ago)`;
  return [`${isOver ? 'Had failed since' : 'Failing since'}:   ${since}, ${runs}`];
}

function runTimes({ startedAt, endedAt }: RunRecord): string {
  if (endedAt === null) return 'not ended';
  const ended = `ended ${formatMoment(endedAt)}`;
  return startedAt === null ? `never started, ${ended}` : `started ${formatMoment(startedAt)}, ${ended}`;
}

function snapshotText(snapshot: SnapshotRecord | null, now: Date): string {
  if (snapshot === null) return 'none: there is no backup of this host';
  const missing = snapshot.outcome === 'PARTIAL' ? `, without ${snapshot.missingFileCount} files` : '';
  return `${clean(snapshot.name)}, ${formatAge(snapshot.startedAt, now)} old${missing}`;
}

function sourcesPart(run: RunRecord | null): string[] {
  const bad = (run?.jobs ?? []).filter((job) => job.error !== null);
  // With one source directory the reason of the run says it all.
  if ((run?.jobs.length ?? 0) < 2 || bad.length === 0) return [];
  return [
    'Source directories:',
    ...bad.map((job) => `  ${clean(job.source)}: ${job.state}, ${clean(job.error?.message ?? '')}`),
  ];
}

function filesPart(run: RunRecord | null): string[] {
  if (run?.verification) return damagePart(run.verification);
  if (run?.drill) return drillPart(run.drill);
  const jobs = run?.jobs ?? [];
  const count = jobs.reduce((sum, job) => sum + job.missingFileCount, 0);
  if (count === 0) return [];
  const shown = jobs.flatMap((job) => job.missingFiles).slice(0, filesShown);
  const title =
    count > shown.length ? `${count} files are missing, the first ${shown.length}:` : 'Missing files:';
  return [title, ...shown.map((file) => `  ${clean(file.path)}: ${clean(file.why)}`)];
}

function drillPart({ differences, differenceCount }: DrillRecord): string[] {
  if (differenceCount === 0) return [];
  const shown = differences.slice(0, filesShown);
  const title = `${differenceCount} differences, the first ${shown.length}:`;
  return [title, ...shown.map(({ path, kind, detail }) => `  ${clean(path)}: ${kind}, ${clean(detail)}`)];
}

function damagePart({ differences, damagedFileCount }: VerificationRecord): string[] {
  const damaged = differences.filter(({ kind }) => isDamage(kind)).slice(0, filesShown);
  const title =
    damagedFileCount > damaged.length
      ? `${damagedFileCount} files are damaged or missing, the first ${damaged.length}:`
      : 'Damaged or missing files:';
  return [
    title,
    ...damaged.map(
      ({ snapshot, kind, path, detail }) => `  ${snapshot} ${clean(path)}: ${kind}, ${clean(detail)}`,
    ),
  ];
}

function logPart(lines: readonly string[]): string[] {
  const shown = lines.slice(-linesShown);
  if (shown.length === 0) return [];
  return ['The last lines of its log:', ...shown.map((line) => `  ${clean(line)}`)];
}

function advicePart({ alert, run, host }: AlertFacts): string[] {
  const advice: Readonly<Record<AlertKind, readonly (readonly [command: string, purpose: string])[]>> = {
    failing: ofRun(run, host),
    failed_again: ofRun(run, host),
    still_failing: ofRun(run, host),
    recovered: [],
    overdue: ofAbsence(host),
    still_overdue: ofAbsence(host),
    back: [],
    damaged: ofDamage(run, host),
    archiving_failed: ofArchiving(run, host),
    archive_damaged: ofArchiving(run, host),
    drill_failed: ofDrill(run, host),
  };
  const steps = advice[alert.kind];
  if (steps.length === 0) return [];
  const width = Math.max(...steps.map(([command]) => command.length));
  return ['What to try:', ...steps.map(([command, purpose]) => `  ${command.padEnd(width)}  ${purpose}`)];
}

function isOfHeld(run: RunRecord | null): boolean {
  return run?.error?.reason === 'SNAPSHOT_HELD';
}

function ofHeld(snapshot: string, host: string): (readonly [string, string])[] {
  return [
    [`busy snapshot ${host} ${snapshot}`, 'what is held, and why'],
    [`busy acknowledge ${host} ${snapshot} --yes`, 'the source is as it should be'],
    [`busy acknowledge ${host} ${snapshot} --discard --yes`, 'it is not: remove the snapshot'],
    [`busy backup ${host} --follow`, 'the source is mended: a new backup'],
  ];
}

function ofDrill(run: RunRecord | null, host: string): (readonly [string, string])[] {
  return [
    [`busy run ${run?.id ?? ''}`, 'what did not come back'],
    [`busy verify ${host}`, 'whether more is damaged'],
    [`busy drill ${host} --repeat ${run?.id ?? ''} --follow`, 'the same files again'],
  ];
}

function ofRun(run: RunRecord | null, host: string): (readonly [string, string])[] {
  if (isOfHeld(run) && run?.snapshot) return ofHeld(run.snapshot, host);
  const look: (readonly [string, string])[] = run
    ? [
        [`busy run ${run.id}`, 'what happened, in short'],
        [`busy logs ${run.id}`, 'its whole log'],
      ]
    : [];
  return [...look, again(host)];
}

function ofDamage(run: RunRecord | null, host: string): (readonly [string, string])[] {
  return [
    ...ofRun(run, host).slice(0, -1),
    [`busy backup ${host} --follow`, 'stores afresh what the host still has'],
    [`busy verify ${host}`, 'whether more is damaged'],
  ];
}

function ofArchiving(run: RunRecord | null, host: string): (readonly [string, string])[] {
  return [
    ...ofRun(run, host).slice(0, -1),
    [`busy archives ${host}`, 'what is archived'],
    [`busy archive ${host} --follow`, 'what is old enough, at once'],
  ];
}

function ofAbsence(host: string): (readonly [string, string])[] {
  return [
    [`busy probe ${host}`, 'whether it is there and lets BUSY in'],
    [`busy runs --host ${host}`, 'what was tried before'],
    again(host),
  ];
}

function again(host: string): readonly [string, string] {
  return [`busy backup ${host} --follow`, 'a backup at once'];
}
