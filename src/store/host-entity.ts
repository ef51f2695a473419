/** The table `hosts`: one row a host that is not in the configuration file. Its rows are plain objects. */
import { EntitySchema } from 'typeorm';
import type { StoredHost } from '../core/stored-host.js';
import { time } from './columns.js';

/** A stored host whose settings are JSON text. */
export type HostRow = Omit<StoredHost, 'settings'> & { readonly settings: string };

export const HostEntity = new EntitySchema<HostRow>({
  name: 'host',
  tableName: 'hosts',
  columns: {
    name: { type: 'varchar', length: 100, primary: true },
    settings: { type: 'text' },
    etag: { type: 'varchar', length: 26 },
    createdAt: { name: 'created_at', type: 'bigint', transformer: time },
    updatedAt: { name: 'updated_at', type: 'bigint', transformer: time },
  },
});
