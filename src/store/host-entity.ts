/**
 * The tables `hosts`, one row a host that is not in the configuration file, and `trashed_hosts`, one a host that was
 * deleted. Their rows are plain objects.
 */
import { EntitySchema } from 'typeorm';
import type { StoredHost } from '../core/stored-host.js';
import type { TrashMark } from '../core/trash.js';
import { time } from './columns.js';

/** A stored host whose settings are JSON text. */
export type HostRow = Omit<StoredHost, 'settings'> & { readonly settings: string };

export type TrashedHostRow = HostRow & TrashMark;

const ownColumns = {
  settings: { type: 'text' },
  etag: { type: 'varchar', length: 26 },
  createdAt: { name: 'created_at', type: 'bigint', transformer: time },
  updatedAt: { name: 'updated_at', type: 'bigint', transformer: time },
} as const;

export const HostEntity = new EntitySchema<HostRow>({
  name: 'host',
  tableName: 'hosts',
  columns: { name: { type: 'varchar', length: 100, primary: true }, ...ownColumns },
});

export const TrashedHostEntity = new EntitySchema<TrashedHostRow>({
  name: 'trashed_host',
  tableName: 'trashed_hosts',
  columns: {
    id: { type: 'varchar', length: 26, primary: true },
    putAt: { name: 'put_at', type: 'bigint', transformer: time },
    putBy: { name: 'put_by', type: 'text' },
    name: { type: 'varchar', length: 100 },
    ...ownColumns,
  },
});
