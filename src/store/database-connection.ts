/** What is the same for a file of SQLite and a server: work is done, and at the end it is closed. */
import type { EntityManager } from 'typeorm';

export interface DatabaseConnection {
  /** Does a piece of work; it must await all it starts, and must not call `run` itself. Throws what it throws. */
  run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T>;
  /** Waits for the work that was accepted, then closes. Closing twice changes nothing. */
  close(): Promise<void>;
}
