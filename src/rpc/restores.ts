/** Restores: from the request to what is wanted, and from the record to the message. */
import { BusyError } from '../core/errors.js';
import { showPath } from '../core/byte-path.js';
import { readPathRequest } from '../core/path-request.js';
import {
  noChanges,
  targetWord,
  type RestoreRecord,
  type RestoreTarget,
  type RestoreWish,
} from '../core/restore.js';
import type { Restore, RestoreTarget as TargetMessage } from '../gen/busy/v1/restore.js';
import type { RestoreRequest } from '../gen/busy/v1/snapshot_service.js';
import { restoreChangeKinds, restoreModes, toRestoreMode } from './enums.js';
import { requireText } from './request-shape.js';

const mostPaths = 1000;

/**
 * What a request wants. Throws INVALID_ARGUMENT or PATH_REFUSED; MIRROR_UNCONFIRMED when something is to be deleted and
 * the target was not repeated.
 */
export function readRestore(request: RestoreRequest): RestoreWish {
  const { host, confirm, dryRun: isDryRun } = request;
  if (request.paths.length === 0 || request.paths.length > mostPaths)
    throw refuse('paths', `must be 1 to ${mostPaths} paths`);
  const paths = request.paths.map(readPathRequest);
  const mode = toRestoreMode(request.mode);
  const target = readTarget(request.target);
  const word = targetWord(target, host);
  if (mode === 'mirror' && !isDryRun && confirm !== word)
    throw new BusyError('MIRROR_UNCONFIRMED', { target: word });
  return { paths, target, mode, isDryRun };
}

function readTarget(message: TargetMessage | undefined): RestoreTarget {
  const place = message?.place;
  switch (place?.$case) {
    case undefined:
      throw refuse('target', 'must say where to: original, host_directory or server_directory');
    case 'original':
      return { kind: 'original' };
    case 'hostDirectory': {
      const host = requireText('target.host_directory.host', place.value.host);
      return {
        kind: 'host',
        host,
        directory: readDirectory('host_directory.directory', place.value.directory),
      };
    }
    case 'serverDirectory':
      return { kind: 'local', directory: readDirectory('server_directory', place.value) };
    default:
      return place satisfies never;
  }
}

/** Absolute, and without anything that leads elsewhere than it says. */
function readDirectory(field: string, text: string): string {
  const path = text === '/' ? text : text.replace(/\/+$/, '');
  const parts = path.split('/').slice(1);
  const isPlain = path === '/' || parts.every((part) => part !== '' && part !== '.' && part !== '..');
  const hasControls = Array.from(path).some((char) => char < ' ' || char === '\x7f');
  if (!path.startsWith('/') || !isPlain || hasControls || path.length > 4000)
    throw refuse(`target.${field}`, 'must be an absolute directory without "..", "." and empty parts');
  return path;
}

function refuse(field: string, problem: string): BusyError {
  return new BusyError('INVALID_ARGUMENT', { field, problem });
}

export function toRestoreMessage({
  paths,
  target,
  mode,
  isDryRun,
  from,
  counts,
  ...done
}: RestoreRecord): Restore {
  return {
    ...(counts ?? noChanges),
    paths: paths.map(showPath),
    target: { place: toPlace(target) },
    mode: restoreModes[mode],
    dryRun: isDryRun,
    fromArchive: from === 'archive',
    changes: done.changes.map((change) => ({ ...change, kind: restoreChangeKinds[change.kind] })),
    changeCount: done.changeCount,
  };
}

function toPlace(target: RestoreTarget): NonNullable<TargetMessage['place']> {
  switch (target.kind) {
    case 'original':
      return { $case: 'original', value: {} };
    case 'host':
      return { $case: 'hostDirectory', value: { host: target.host, directory: target.directory } };
    case 'local':
      return { $case: 'serverDirectory', value: target.directory };
    default:
      return target satisfies never;
  }
}
