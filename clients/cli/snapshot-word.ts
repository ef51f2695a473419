/** Snapshots as they are named on the command line: `HOST/NAME`, or `HOST` for its newest, also as of a time. */
import type { Command } from 'commander';
import { Snapshot } from '../../src/gen/busy/v1/snapshot.js';
import { SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { usageError } from './cli-error.js';
import type { Connection } from './connection.js';
import { parseTimeWord } from './time-word.js';

export interface SnapshotWord {
  readonly host: string;
  /** Empty where the newest is meant. */
  readonly name: string;
}

export interface AsOfOption {
  readonly asOf?: string | undefined;
}

/** What the argument is called in help texts. */
export const snapshotWordHelp = 'HOST/SNAPSHOT, or HOST for its newest snapshot';

export function addAsOfOption(command: Command, what = 'the newest snapshot'): Command {
  const help = `${what} at or before then: "2026-11-01 12:00", RFC 3339, or a date (its end)`;
  return command.option('--as-of <time>', help);
}

/** Reads `HOST`, `HOST/NAME`, or `HOST` beside a name of its own (`given`). Throws a usage error. */
export function readSnapshotWord(word: string, given?: string): SnapshotWord {
  const [host = '', name, more] = word.split('/');
  if (host === '' || name === '' || more !== undefined)
    throw usageError(`${JSON.stringify(word)} names no snapshot.`, `Give ${snapshotWordHelp}.`);
  if (name !== undefined && given !== undefined)
    throw usageError('The snapshot is named twice.', `Give ${snapshotWordHelp}.`);
  return { host, name: name ?? given ?? '' };
}

/**
 * The snapshot that `HOST`, `HOST/NAME`, or `HOST` beside a name of its own means; a time alone needs the daemon, and
 * without one `HOST` is left as it is. Throws a usage error, or what the daemon says.
 */
export async function nameSnapshot(
  connection: Pick<Connection, 'call'>,
  named: SnapshotWord,
  { asOf }: AsOfOption,
): Promise<SnapshotWord> {
  if (asOf === undefined) return named;
  const { host, name } = await resolveSnapshot(connection, named, { asOf });
  return { host, name };
}

/** Asks the daemon which snapshot is meant. Throws a usage error, or what the daemon says. */
export async function resolveSnapshot(
  connection: Pick<Connection, 'call'>,
  { host, name }: SnapshotWord,
  { asOf }: AsOfOption = {},
): Promise<Snapshot> {
  const request = { host, name, asOf: readAsOf({ host, name }, { asOf }) };
  const { snapshot } = await connection.call(SnapshotServiceService.getSnapshot, request);
  return snapshot ?? Snapshot.create();
}

/** Throws a usage error. */
export function readAsOf({ name }: SnapshotWord, { asOf }: AsOfOption): Date | undefined {
  if (asOf === undefined) return undefined;
  if (name !== '')
    throw usageError('--as-of beside the name of a snapshot says nothing.', 'Give one of the two.');
  return parseTimeWord('--as-of', asOf);
}
