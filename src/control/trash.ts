/**
 * All that is in the trash, of whatever kind: lists it, puts it back, and removes it for good when its time has come or
 * an administrator says so. What a kind is and where it lies its bin knows.
 */
import { ulid } from 'ulid';
import { BusyError, toBusyError } from '../core/errors.js';
import type { Clock } from '../core/ports.js';
import { goesAt, wordFor, wordForAll, type TrashEntry, type TrashMark } from '../core/trash.js';
import type { Audit } from './audit.js';
import type { PrunerLog } from './pruner.js';

export interface TrashFilter {
  /** Only of this host. */
  readonly host?: string;
  /** Only what lies there. */
  readonly place?: string;
}

/** One kind of things in the trash. */
export interface TrashBin {
  /** Where such things lie: a disk that hangs must delay no other. */
  places(): readonly string[];
  /** Throws when it cannot be told. */
  list(filter: TrashFilter): Promise<readonly TrashEntry[]>;
  /** Whether this daemon may remove it. */
  isOurs(entry: TrashEntry): boolean;
  /** Puts it back. Throws what stands against it. */
  restore(entry: TrashEntry): Promise<void>;
  /** Removes it for good; throws TRASH_ENTRY_NOT_FOUND when it is there no more, or what stands against it. */
  destroy(entry: TrashEntry, reason: string): Promise<void>;
  /** Makes good what a crash left half done at a place. Throws when it could not. */
  settle(place: string): Promise<void>;
}

export interface ListedTrash extends TrashEntry {
  /** When it is removed for good. */
  readonly goesAt: Date;
}

export interface TrashParts {
  readonly clock: Clock;
  readonly bins: readonly TrashBin[];
  /** How long something stays there. */
  readonly trashDays: () => number;
  /** Is told of each that was removed, and why. */
  readonly audit: Pick<Audit, 'note'>;
  readonly log: PrunerLog;
}

const hourMs = 3_600_000;

/** What is moved to the trash now, by whom. */
export function newMark(now: Date, putBy: string): TrashMark {
  return { id: ulid(now.getTime()), putAt: now, putBy };
}

export class Trash {
  private readonly stopping = new AbortController();
  private hourly: NodeJS.Timeout | undefined;
  /** Places that are looked at: one that hangs is not asked again and again. */
  private readonly looks = new Map<string, Promise<void>>();

  constructor(private readonly parts: TrashParts) {}

  /** Makes good what a daemon that died left, and then looks once an hour for what has to go. */
  start(): void {
    this.hourly = setInterval(() => this.look(), hourMs);
    this.look();
  }

  /** Settles when nothing is being removed any more, or `giveUp` is aborted. */
  async stop(giveUp: AbortSignal): Promise<void> {
    clearInterval(this.hourly);
    this.stopping.abort();
    const gaveUp = new Promise<void>((resolve) => {
      if (giveUp.aborted) resolve();
      else giveUp.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([Promise.all(this.looks.values()), gaveUp]);
  }

  /** Of one host, or of all; newest first. */
  async list(filter: Pick<TrashFilter, 'host'> = {}): Promise<readonly ListedTrash[]> {
    return (await this.found(filter)).map(({ entry }) => this.listed(entry));
  }

  /** Puts an entry back and answers what it was. Throws TRASH_ENTRY_NOT_FOUND, or what stands against it. */
  async restore(id: string): Promise<ListedTrash> {
    const { bin, entry } = await this.one(id);
    await bin.restore(entry);
    this.parts.log.info('something was put back from the trash', factsOf(entry));
    return this.listed(entry);
  }

  /**
   * Removes an entry for good, or with `null` all that is this daemon's; answers what was removed. Throws
   * TRASH_ENTRY_NOT_FOUND, CONFIRMATION_NEEDED, or what stands against it; what was removed until then is gone.
   */
  async empty(
    id: string | null,
    { confirm, by }: { readonly confirm: string; readonly by: string },
  ): Promise<readonly ListedTrash[]> {
    const reason = `the trash was emptied by ${by}`;
    if (id !== null) {
      const { bin, entry } = await this.one(id);
      const word = wordFor(entry);
      requireConfirmation(confirm, word, `This removes the ${entry.kind} ${word} for good`);
      await this.destroyFor(bin, entry, reason);
      return [this.listed(entry)];
    }
    requireConfirmation(confirm, wordForAll, 'This removes all that is in the trash for good');
    const removed: ListedTrash[] = [];
    for (const { bin, entry } of await this.found({})) {
      if (!bin.isOurs(entry)) continue;
      await this.destroyFor(bin, entry, reason);
      removed.push(this.listed(entry));
    }
    return removed;
  }

  /** Removes what has been there for `trash_days`. Never throws. */
  look(): void {
    for (const [number, bin] of this.parts.bins.entries()) {
      for (const place of bin.places()) {
        const key = `${number} ${place}`;
        if (this.looks.has(key)) continue;
        this.looks.set(
          key,
          this.removeOld(bin, place).finally(() => this.looks.delete(key)),
        );
      }
    }
  }

  private async removeOld(bin: TrashBin, place: string): Promise<void> {
    const { clock, trashDays } = this.parts;
    const attempt = (work: () => Promise<void>): Promise<void> =>
      work().catch((error: unknown) => this.complain(error, place));
    await attempt(() => bin.settle(place));
    await attempt(async () => {
      for (const entry of await bin.list({ place })) {
        if (this.stopping.signal.aborted) return;
        if (goesAt(entry, trashDays()) > clock.now() || !bin.isOurs(entry)) continue;
        const reason = `it was in the trash for trash_days (${trashDays()})`;
        await attempt(() => this.destroyFor(bin, entry, reason));
      }
    });
  }

  /** The audit log tells of each, so that it says what is gone also when the next one fails. */
  private async destroyFor(bin: TrashBin, entry: TrashEntry, reason: string): Promise<void> {
    await bin.destroy(entry, reason);
    const { id, kind, host, snapshot } = entry;
    await this.parts.audit.note('EmptyTrash', host, { id, kind, snapshot, message: reason });
  }

  private complain(error: unknown, place: string): void {
    const { reason, message, advice } = toBusyError(error);
    const facts = { place, reason, error: `${message} ${advice}` };
    this.parts.log.error('the trash could not be looked after; it is tried again within the hour', facts);
  }

  /** As callers see it. */
  listed(entry: TrashEntry): ListedTrash {
    return { ...entry, goesAt: goesAt(entry, this.parts.trashDays()) };
  }

  private async found(filter: TrashFilter): Promise<{ bin: TrashBin; entry: TrashEntry }[]> {
    const lists = this.parts.bins.map(async (bin) =>
      (await bin.list(filter)).map((entry) => ({ bin, entry })),
    );
    return (await Promise.all(lists)).flat().sort((a, b) => (a.entry.id < b.entry.id ? 1 : -1));
  }

  private async one(id: string): Promise<{ bin: TrashBin; entry: TrashEntry }> {
    const found = (await this.found({})).find(({ entry }) => entry.id === id);
    if (!found) throw new BusyError('TRASH_ENTRY_NOT_FOUND', { id });
    return found;
  }
}

/** Throws CONFIRMATION_NEEDED. */
export function requireConfirmation(given: string, word: string, what: string): void {
  if (given !== word) throw new BusyError('CONFIRMATION_NEEDED', { what, word });
}

function factsOf(entry: TrashEntry): Readonly<Record<string, unknown>> {
  return { host: entry.host, snapshot: entry.snapshot, kind: entry.kind, id: entry.id };
}
