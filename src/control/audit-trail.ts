/** Reads the audit log: one entry for each act, whether it took one line or two. */
import type { AuditedAct, AuditLine, AuditLog } from '../core/audit.js';

export interface AuditEntry extends AuditedAct {
  /** The number of its first line, and the hash of that. */
  readonly sequence: number;
  readonly hash: string;
  readonly at: Date;
  /** `unknown`: it is under way, or the daemon died meanwhile. */
  readonly outcome: 'ok' | 'failed' | 'refused' | 'unknown';
  readonly endedAt: Date | null;
  /** Of a failure or refusal. */
  readonly reason: string;
  readonly message: string;
  /** The run that it started or changed; empty: none, or not known. */
  readonly runId: string;
  /** What else came of it, as JSON; empty: nothing. */
  readonly result: string;
  /** How many other refusals were not told one by one before this one. */
  readonly omitted: number;
}

export interface AuditFilter {
  readonly host: string | null;
  /** The name of the caller. */
  readonly caller: string | null;
  readonly since: Date | null;
  /** Only entries with a smaller number. */
  readonly before: number | null;
  readonly limit: number;
}

/** Newest first. Throws what the system says when the log cannot be read. */
export async function listAudit(
  log: Pick<AuditLog, 'newestFirst'>,
  filter: AuditFilter,
): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = [];
  const endings = new Map<number, AuditLine>();
  for await (const line of log.newestFirst()) {
    if (filter.since !== null && line.at < filter.since) break;
    const { event } = line;
    if (event.kind === 'ended') endings.set(event.of, line);
    const entry = entryOf(line, endings.get(line.sequence));
    endings.delete(line.sequence);
    if (entry && isWanted(entry, filter)) entries.push(entry);
    if (entries.length >= filter.limit) break;
  }
  return entries;
}

function isWanted(entry: AuditEntry, { host, caller, before }: AuditFilter): boolean {
  return (
    (host === null || entry.host === host) &&
    (caller === null || entry.caller.name === caller) &&
    (before === null || entry.sequence < before)
  );
}

function entryOf({ sequence, hash, at, event }: AuditLine, ending: AuditLine | undefined): AuditEntry | null {
  const place = { sequence, hash, at };
  const nothing = { endedAt: null, reason: '', message: '', runId: '', result: '', omitted: 0 };
  switch (event.kind) {
    case 'ended':
    case 'started':
      return null;
    case 'done':
      return { ...nothing, ...actOf(event), ...place, outcome: 'ok', endedAt: at, message: event.message };
    case 'refused': {
      const { reason, message, omitted } = event;
      return {
        ...nothing,
        ...actOf(event),
        ...place,
        outcome: 'refused',
        endedAt: at,
        reason,
        message,
        omitted,
      };
    }
    case 'begun': {
      const act = { ...nothing, ...actOf(event), ...place };
      if (ending?.event.kind !== 'ended') return { ...act, outcome: 'unknown' };
      const { reason, message, runId = '', result = '', host = '' } = ending.event;
      const outcome = reason === '' ? 'ok' : 'failed';
      const came = { outcome, endedAt: ending.at, reason, message, runId, result } as const;
      return { ...act, ...came, host: act.host || host };
    }
    default:
      return event satisfies never;
  }
}

function actOf({ caller, call, host, request }: AuditedAct): AuditedAct {
  return { caller, call, host, request };
}
