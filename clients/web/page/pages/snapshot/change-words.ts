/** What a restore does to a path, in a word. */
import { RestoreChangeKind } from '../../../gen/busy/v1/restore_pb.js';

export const changeWords: Readonly<Record<RestoreChangeKind, string>> = {
  [RestoreChangeKind.UNSPECIFIED]: '?',
  [RestoreChangeKind.CREATED]: 'new',
  [RestoreChangeKind.CHANGED]: 'replaced',
  [RestoreChangeKind.DELETED]: 'deleted',
};
