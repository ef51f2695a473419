/** What a restore dialog has been told so far. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { RestoreMode, RestoreTargetSchema, type RestoreTarget } from '../../../gen/busy/v1/restore_pb.js';
import type { RestoreRequestSchema } from '../../../gen/busy/v1/snapshot_service_pb.js';

export interface RestoreChoice {
  readonly host: string;
  readonly snapshot: string;
  readonly paths: readonly string[];
  readonly place: 'original' | 'host' | 'server';
  /** Of a host or of the server. */
  readonly directory: string;
  readonly otherHost: string;
  readonly mode: RestoreMode;
}

export const restoreModes = [
  [RestoreMode.NEVER_OVERWRITE, 'Leave what is there as it is'],
  [RestoreMode.NEWER_ONLY, 'Replace what differs, unless it is newer there'],
  [RestoreMode.OVERWRITE, 'Replace what differs'],
  [RestoreMode.MIRROR, 'Mirror: replace what differs, and delete what the snapshot does not have'],
] as const;

/** What is missing from the choice; empty when nothing is. */
export function missingFrom({ place, directory, otherHost }: RestoreChoice): string {
  if (place === 'original') return '';
  if (place === 'host' && otherHost === '') return 'Name a host first.';
  return directory.startsWith('/') ? '' : 'Give a directory that begins with / first.';
}

/** Two choices with the same key do the same. */
export function choiceKey(choice: RestoreChoice): string {
  const { host, snapshot, paths, mode } = choice;
  return JSON.stringify([host, snapshot, [...paths].sort(), mode, targetWord(choice)]);
}

/** The target in one word, as a mirror is confirmed. */
export function targetWord({ host, place, directory, otherHost }: RestoreChoice): string {
  if (place === 'original') return `${host}:/`;
  return place === 'host' ? `${otherHost}:${directory}` : directory;
}

export function restoreRequest(
  choice: RestoreChoice,
  options: { readonly dryRun: boolean; readonly confirm: string },
): MessageInitShape<typeof RestoreRequestSchema> {
  const { host, snapshot, paths, mode } = choice;
  const requestId = crypto.randomUUID();
  return { requestId, host, snapshot, paths: [...paths], target: targetOf(choice), mode, ...options };
}

function targetOf({ place, otherHost, directory }: RestoreChoice): RestoreTarget {
  switch (place) {
    case 'original':
      return create(RestoreTargetSchema, { place: { case: 'original', value: {} } });
    case 'host':
      return create(RestoreTargetSchema, {
        place: { case: 'hostDirectory', value: { host: otherHost, directory } },
      });
    case 'server':
      return create(RestoreTargetSchema, { place: { case: 'serverDirectory', value: directory } });
    default:
      return place satisfies never;
  }
}
