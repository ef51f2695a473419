/** Mails that wait, and what was told, in the database. What must be kept together is kept in one transaction. */
import { type EntityManager, LessThanOrEqual } from 'typeorm';
import type { Mail, OutboxStore } from '../core/mail.js';
import type { Database } from './data-source.js';
import { AlertStateEntity, MailMarkEntity, OutboxEntity } from './mail-entities.js';

const digestMark = 'digest';
/** Mails that are read at once; each may have some 30 KiB. */
const mailsAtOnce = 50;

/** The port OutboxStore over a database. All methods throw a DatabaseError when the database fails. */
export function createOutboxStore(database: Database): OutboxStore {
  return {
    alertStates: () => database.run((manager) => manager.find(AlertStateEntity)),
    recordAlert: (state, mails) =>
      together(database, mails, async (manager) => {
        await manager.upsert(AlertStateEntity, { ...state }, ['host']);
      }),
    digestMark: () =>
      database.run(async (manager) => {
        const mark = await manager.findOneBy(MailMarkEntity, { name: digestMark });
        return mark?.at ?? null;
      }),
    recordDigest: (at, mails) =>
      together(database, mails, async (manager) => {
        await manager.upsert(MailMarkEntity, { name: digestMark, at }, ['name']);
      }),
    due: (now) =>
      database.run((manager) =>
        manager.find(OutboxEntity, {
          where: { nextAttemptAt: LessThanOrEqual(now) },
          order: { id: 'ASC' },
          take: mailsAtOnce,
        }),
      ),
    count: () => database.run((manager) => manager.count(OutboxEntity)),
    postpone: (id, attempts, nextAttemptAt) =>
      database.run(async (manager) => {
        await manager.update(OutboxEntity, { id }, { attempts, nextAttemptAt });
      }),
    remove: (id) =>
      database.run(async (manager) => {
        await manager.delete(OutboxEntity, { id });
      }),
  };
}

function together(
  database: Database,
  mails: readonly Mail[],
  keepReason: (manager: EntityManager) => Promise<void>,
): Promise<void> {
  return database.run((manager) =>
    manager.transaction(async (transaction) => {
      await keepReason(transaction);
      for (const mail of mails) {
        await transaction.insert(OutboxEntity, { ...mail, attempts: 0, nextAttemptAt: mail.createdAt });
      }
    }),
  );
}
