/** TrashService: what was deleted by a call and is not gone yet. */
import type { ListedTrash, Trash } from '../control/trash.js';
import {
  TrashKind as KindMessage,
  type TrashEntry,
  type TrashServiceServer,
} from '../gen/busy/v1/trash_service.js';
import { seesHost } from '../core/caller.js';
import type { TrashKind } from '../core/trash.js';
import { readPageStart, toPage } from './page.js';
import { requireText } from './request-shape.js';
import type { CallAdapters } from './stream.js';

export interface TrashParts {
  readonly trash: Pick<Trash, 'list' | 'restore' | 'empty'>;
}

const kinds: Readonly<Record<TrashKind, KindMessage>> = {
  snapshot: KindMessage.SNAPSHOT,
  host: KindMessage.HOST,
  archive: KindMessage.ARCHIVE,
};

export function trashHandlers({ trash }: TrashParts, calls: CallAdapters): TrashServiceServer {
  return {
    listTrash: calls.unary(async (request, caller) => {
      const { size, after } = readPageStart('trash', request);
      const all = await trash.list(request.host === '' ? {} : { host: request.host });
      const seen = all.filter(({ host }) => seesHost(caller, host));
      const entries = after === null ? seen : seen.filter(({ id }) => id < after);
      const page = toPage('trash', entries, { size, keyOf: ({ id }) => id });
      return { entries: page.items.map(toTrashMessage), nextPageToken: page.nextPageToken };
    }),
    restoreFromTrash: calls.unary(async ({ id }) => ({
      entry: toTrashMessage(await trash.restore(requireText('id', id))),
    })),
    emptyTrash: calls.unary(async ({ id, confirm }, caller) => ({
      entries: (await trash.empty(id || null, { confirm, by: caller.name })).map(toTrashMessage),
    })),
  };
}

export function toTrashMessage(entry: ListedTrash): TrashEntry {
  return { ...entry, kind: kinds[entry.kind] };
}
