/** How enum values of the contract are shown. A value that this client does not know is shown as its number. */
import {
  BackupType,
  DifferenceKind,
  JobState,
  RunKind,
  RunState,
  type Run,
} from '../../src/gen/busy/v1/run.js';
import type { Snapshot } from '../../src/gen/busy/v1/snapshot.js';
import type { Cell, Colour } from './output.js';

export function isEnded(state: RunState): boolean {
  return endedStates.includes(state);
}

export function runStateCell(state: RunState): Cell {
  const text = RunState[state] ?? String(state);
  return { text, colour: colours[text] ?? null };
}

/** What came of a snapshot: HELD outranks what its files say. */
export function outcomeCell({ outcome, heldFor }: Pick<Snapshot, 'outcome' | 'heldFor'>): Cell {
  return heldFor.length > 0 ? { text: 'HELD', colour: 'red' } : runStateCell(outcome);
}

export function jobStateCell(state: JobState): Cell {
  const text = JobState[state] ?? String(state);
  return { text, colour: colours[text] ?? null };
}

/** "full", "incremental"; "-" before it is decided. */
export function typeName(type: BackupType): string {
  if (type === BackupType.UNSPECIFIED) return '-';
  return BackupType[type]?.toLowerCase() ?? String(type);
}

/** "backup", "verify", "verify-archive". */
export function kindName(kind: RunKind): string {
  return RunKind[kind]?.toLowerCase().replace('_', '-') ?? String(kind);
}

export function isBackup({ kind }: Run): boolean {
  return kind === RunKind.BACKUP;
}

/** Lost data in red, all other differences in yellow. */
export function differenceCell(kind: DifferenceKind): Cell {
  const text = DifferenceKind[kind]?.toLowerCase() ?? String(kind);
  return { text, colour: kind < DifferenceKind.MODE ? 'red' : 'yellow' };
}

const endedStates: readonly RunState[] = [
  RunState.SUCCEEDED,
  RunState.PARTIAL,
  RunState.FAILED,
  RunState.CANCELLED,
  RunState.INTERRUPTED,
];

const colours: Readonly<Record<string, Colour | undefined>> = {
  RUNNING: 'cyan',
  CANCELLING: 'cyan',
  SUCCEEDED: 'green',
  PARTIAL: 'yellow',
  FAILED: 'red',
  INTERRUPTED: 'red',
};
