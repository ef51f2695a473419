/** The tokens in the database. Each method is one statement, so none of them can be half done. */
import type { TokenStore } from '../core/access-token.js';
import type { Database } from './data-source.js';
import { TokenEntity } from './token-entity.js';

/** The port TokenStore over a database. All methods throw a DatabaseError when the database fails. */
export function createTokenStore(database: Database): TokenStore {
  return {
    add: (token) => database.run(async (manager) => void (await manager.insert(TokenEntity, { ...token }))),
    list: () => database.run((manager) => manager.find(TokenEntity, { order: { name: 'ASC' } })),
    remove: (id) =>
      database.run(async (manager) => {
        const { affected } = await manager.delete(TokenEntity, { id });
        return affected === 1;
      }),
  };
}
