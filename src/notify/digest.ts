/** The words of the daily digest: one line a host, those that need attention first. Pure. */
import type { DigestEntry, MailText } from '../core/mail.js';
import { formatBytes } from '../core/bytes.js';
import { clean, formatAge, formatMoment, subjectOf } from './mail-format.js';

/** The digest of a server. */
export function digestMail(server: string, entries: readonly DigestEntry[], now: Date): MailText {
  const lines = entries.map((entry) => ({
    needsAttention: stateOf(entry) !== 'ok',
    cells: cellsOf(entry, now),
  }));
  const bad = lines.filter(({ needsAttention }) => needsAttention);
  const good = lines.filter(({ needsAttention }) => !needsAttention);
  const summary =
    bad.length === 0 ? 'all hosts ok' : `${bad.length} of ${entries.length} hosts need attention`;
  const rows = [heading, ...bad.map(({ cells }) => cells), ...good.map(({ cells }) => cells)];
  return {
    subject: subjectOf(server, `digest: ${summary}`),
    text: `${inColumns(rows).join('\n')}\n\n-- \nBUSY on ${clean(server)}, ${formatMoment(now)}\n`,
  };
}

const heading = ['HOST', 'STATE', 'NEWEST SNAPSHOT', 'AGE', 'BYTES', 'FAILURES'];

function cellsOf(entry: DigestEntry, now: Date): string[] {
  const { host, state, newestSnapshot } = entry;
  return [
    clean(host),
    stateOf(entry),
    newestSnapshot === null ? 'none' : clean(newestSnapshot.name),
    newestSnapshot === null ? '-' : formatAge(newestSnapshot.startedAt, now),
    newestSnapshot === null ? '-' : formatBytes(newestSnapshot.stats.totalBytes),
    String(state.failureCount),
  ];
}

function stateOf({ state, newestSnapshot }: DigestEntry): string {
  if (state.failingSince !== null) return 'failing';
  if (state.overdueToldAt !== null) return 'overdue';
  return newestSnapshot === null ? 'no snapshot' : 'ok';
}

function inColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = heading.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
