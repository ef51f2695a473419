/** The enums of the contract and the words of the core, both ways. Each table names every word, or it does not build. */
import type { Role } from '../core/caller.js';
import { BusyError } from '../core/errors.js';
import type { HostCondition } from '../core/host-condition.js';
import type { Initiator } from '../core/host.js';
import type { DifferenceKind } from '../core/manifest.js';
import type { RestoreChangeKind, RestoreMode } from '../core/restore.js';
import type { JobState, RequestedType, RunKind, RunPhase, RunState } from '../core/run.js';
import type { HoldCode } from '../core/snapshot.js';
import type { SettingInEffect } from '../core/stored-host.js';
import { SettingSource as SourceMessage } from '../gen/busy/v1/host_settings.js';
import { Role as RoleMessage } from '../gen/busy/v1/token_service.js';
import { HoldCode as HoldCodeMessage } from '../gen/busy/v1/snapshot.js';
import {
  HostCondition as ConditionMessage,
  Initiator as InitiatorMessage,
} from '../gen/busy/v1/host_service.js';
import {
  RestoreChangeKind as RestoreChangeKindMessage,
  RestoreMode as RestoreModeMessage,
} from '../gen/busy/v1/restore.js';
import {
  BackupType as TypeMessage,
  DifferenceKind as DifferenceKindMessage,
  JobState as JobStateMessage,
  RunKind as RunKindMessage,
  RunPhase as RunPhaseMessage,
  RunState as RunStateMessage,
} from '../gen/busy/v1/run.js';

export const initiators: Readonly<Record<Initiator, InitiatorMessage>> = {
  server: InitiatorMessage.SERVER,
  client: InitiatorMessage.CLIENT,
};

export const conditions: Readonly<Record<HostCondition, ConditionMessage>> = {
  failing: ConditionMessage.FAILING,
  held: ConditionMessage.HELD,
  late: ConditionMessage.LATE,
  partial: ConditionMessage.PARTIAL,
  new: ConditionMessage.NEW,
  good: ConditionMessage.GOOD,
};

export const settingSources: Readonly<Record<SettingInEffect['source'], SourceMessage>> = {
  host: SourceMessage.HOST,
  defaults: SourceMessage.DEFAULTS,
  'built-in': SourceMessage.BUILT_IN,
};

export const roleMessages: Readonly<Record<Role, RoleMessage>> = {
  viewer: RoleMessage.VIEWER,
  operator: RoleMessage.OPERATOR,
  admin: RoleMessage.ADMIN,
};

export const types: Readonly<Record<RequestedType, TypeMessage>> = {
  auto: TypeMessage.AUTO,
  full: TypeMessage.FULL,
  incremental: TypeMessage.INCREMENTAL,
};

export const holdCodes: Readonly<Record<HoldCode, HoldCodeMessage>> = {
  EMPTY_SOURCE: HoldCodeMessage.EMPTY_SOURCE,
  SHRUNK: HoldCodeMessage.SHRUNK,
  MASS_CHANGE: HoldCodeMessage.MASS_CHANGE,
};

export const runStates: Readonly<Record<RunState, RunStateMessage>> = {
  QUEUED: RunStateMessage.QUEUED,
  RUNNING: RunStateMessage.RUNNING,
  CANCELLING: RunStateMessage.CANCELLING,
  SUCCEEDED: RunStateMessage.SUCCEEDED,
  PARTIAL: RunStateMessage.PARTIAL,
  FAILED: RunStateMessage.FAILED,
  CANCELLED: RunStateMessage.CANCELLED,
  INTERRUPTED: RunStateMessage.INTERRUPTED,
};

export const kinds: Readonly<Record<RunKind, RunKindMessage>> = {
  backup: RunKindMessage.BACKUP,
  verify: RunKindMessage.VERIFY,
  scrub: RunKindMessage.SCRUB,
  archive: RunKindMessage.ARCHIVE,
  'verify-archive': RunKindMessage.VERIFY_ARCHIVE,
  restore: RunKindMessage.RESTORE,
  drill: RunKindMessage.DRILL,
};

export const differenceKinds: Readonly<Record<DifferenceKind, DifferenceKindMessage>> = {
  content: DifferenceKindMessage.CONTENT,
  missing: DifferenceKindMessage.MISSING,
  unreadable: DifferenceKindMessage.UNREADABLE,
  size: DifferenceKindMessage.SIZE,
  type: DifferenceKindMessage.TYPE,
  target: DifferenceKindMessage.TARGET,
  manifest: DifferenceKindMessage.MANIFEST,
  mode: DifferenceKindMessage.MODE,
  owner: DifferenceKindMessage.OWNER,
  mtime: DifferenceKindMessage.MTIME,
  extra: DifferenceKindMessage.EXTRA,
};

export const phases: Readonly<Record<RunPhase, RunPhaseMessage>> = {
  copy: RunPhaseMessage.COPY,
  manifest: RunPhaseMessage.MANIFEST,
  verify: RunPhaseMessage.VERIFY,
  archive: RunPhaseMessage.ARCHIVE,
  'verify-archive': RunPhaseMessage.VERIFY_ARCHIVE,
  restore: RunPhaseMessage.RESTORE,
  drill: RunPhaseMessage.DRILL,
};

export const restoreModes: Readonly<Record<RestoreMode, RestoreModeMessage>> = {
  'never-overwrite': RestoreModeMessage.NEVER_OVERWRITE,
  'newer-only': RestoreModeMessage.NEWER_ONLY,
  overwrite: RestoreModeMessage.OVERWRITE,
  mirror: RestoreModeMessage.MIRROR,
};

export const restoreChangeKinds: Readonly<Record<RestoreChangeKind, RestoreChangeKindMessage>> = {
  created: RestoreChangeKindMessage.CREATED,
  changed: RestoreChangeKindMessage.CHANGED,
  deleted: RestoreChangeKindMessage.DELETED,
};

export const jobStates: Readonly<Record<JobState, JobStateMessage>> = {
  WAITING: JobStateMessage.WAITING,
  RUNNING: JobStateMessage.RUNNING,
  SUCCEEDED: JobStateMessage.SUCCEEDED,
  PARTIAL: JobStateMessage.PARTIAL,
  FAILED: JobStateMessage.FAILED,
  CANCELLED: JobStateMessage.CANCELLED,
};

/** The type that was asked for; unset means automatic. Throws INVALID_ARGUMENT for a number without a name. */
export function toRequestedType(type: TypeMessage): RequestedType {
  return type === TypeMessage.UNSPECIFIED ? 'auto' : wordOf(types, type, 'type');
}

/** What becomes of what is there; unset means that it stays. Throws INVALID_ARGUMENT for a number without a name. */
export function toRestoreMode(mode: RestoreModeMessage): RestoreMode {
  return mode === RestoreModeMessage.UNSPECIFIED ? 'never-overwrite' : wordOf(restoreModes, mode, 'mode');
}

/** Throws INVALID_ARGUMENT for a number without a name, and for UNSPECIFIED. */
export function toRunState(state: RunStateMessage): RunState {
  return wordOf(runStates, state, 'states');
}

function wordOf<Word extends string>(
  words: Readonly<Record<Word, number>>,
  value: number,
  field: string,
): Word {
  for (const word in words) if (words[word] === value) return word;
  throw new BusyError('INVALID_ARGUMENT', {
    field,
    problem: `${value} is not a value that may be asked for`,
    allowed: `Use one of ${Object.keys(words).join(', ').toUpperCase().replaceAll('-', '_')}.`,
  });
}
