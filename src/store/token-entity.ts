/** The table `tokens`: one row a token. Its rows are plain objects. */
import { EntitySchema } from 'typeorm';
import type { TokenRecord } from '../core/access-token.js';
import { time } from './columns.js';

export const TokenEntity = new EntitySchema<TokenRecord>({
  name: 'token',
  tableName: 'tokens',
  columns: {
    id: { type: 'varchar', length: 12, primary: true },
    name: { type: 'varchar', length: 100, unique: true },
    role: { type: 'varchar', length: 16 },
    hosts: { type: 'simple-json', nullable: true },
    hash: { type: 'varchar', length: 64 },
    createdBy: { name: 'created_by', type: 'varchar', length: 100 },
    createdAt: { name: 'created_at', type: 'bigint', transformer: time },
    expiresAt: { name: 'expires_at', type: 'bigint', transformer: time, nullable: true },
  },
});
