/**
 * Pages of lists (AIP-158). A page token holds the key of the last item that was answered, so that items which come
 * or go between two calls neither repeat nor hide others. To a caller it is opaque.
 */
import { BusyError } from '../core/errors.js';

/** Which list a token belongs to; one of another list is refused. */
export type ListName = 'hosts' | 'runs' | 'snapshots' | 'archives' | 'files' | 'trash' | 'audit';

export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** Where a page begins: after the item with this key (null: at the start), with at most `size` items. */
export interface PageStart {
  readonly size: number;
  readonly after: string | null;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Empty at the end of the list. */
  readonly nextPageToken: string;
}

const defaultSize = 100;
const largestSize = 1000;

/** Reads the paging fields of a request. Throws INVALID_ARGUMENT. */
export function readPageStart(list: ListName, request: PageRequest): PageStart {
  if (request.pageSize < 0) {
    throw new BusyError('INVALID_ARGUMENT', { field: 'page_size', problem: 'must not be negative' });
  }
  const size = Math.min(request.pageSize || defaultSize, largestSize);
  return { size, after: request.pageToken === '' ? null : readToken(list, request.pageToken) };
}

/** Makes a page of the items from its start on; more items than `size` mean that there is another page. */
export function toPage<T>(
  list: ListName,
  items: readonly T[],
  { size, keyOf }: { size: number; keyOf: (item: T) => string },
): Page<T> {
  const page = items.slice(0, size);
  const last = page.at(-1);
  const hasMore = items.length > size && last !== undefined;
  return { items: page, nextPageToken: hasMore ? writeToken(list, keyOf(last)) : '' };
}

function writeToken(list: ListName, key: string): string {
  return Buffer.from(`${list}:${key}`).toString('base64url');
}

function readToken(list: ListName, token: string): string {
  const text = Buffer.from(token, 'base64url').toString();
  const key = text.startsWith(`${list}:`) ? text.slice(list.length + 1) : '';
  if (key !== '' && writeToken(list, key) === token) return key;
  throw new BusyError('INVALID_ARGUMENT', {
    field: 'page_token',
    problem: 'is not a token of this list',
    allowed: 'Give the next_page_token of the page before, or leave it empty for the first page.',
  });
}
