/**
 * Which hosts have runs that have not ended; a host has at most one in each lane. A restore that writes to a host has
 * the place of its backups too.
 */
import { Mutex } from 'async-mutex';
import { BusyError } from '../core/errors.js';
import type { RunKind, RunRecord } from '../core/run.js';
import { allLanes, type Lane } from './run-lanes.js';

/** The place of a run at a host. */
export interface Claim {
  readonly host: string;
  readonly lane: Lane;
}

export class BusyHosts {
  private readonly runs = new Map<string, { readonly id: string; readonly kind: RunKind }>();
  private readonly turn = new Mutex();

  /** Does what depends on a host being free; one piece of work at a time, whatever the host. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.turn.runExclusive(work);
  }

  /** Does a piece of work while the host has no run and gets none. Throws HOST_BUSY. */
  whileFree(host: string, work: () => Promise<void>): Promise<void> {
    return this.exclusively(() => {
      this.refuseBusy(allLanes.map((lane) => ({ host, lane })));
      return work();
    });
  }

  /** Throws HOST_BUSY when another run has one of these places. */
  refuseBusy(claims: readonly Claim[]): void {
    for (const claim of claims) {
      const run = this.runs.get(keyOf(claim));
      if (run !== undefined)
        throw new BusyError('HOST_BUSY', { host: claim.host, run: run.id, kind: words[run.kind] });
    }
  }

  has(host: string, lane: Lane): boolean {
    return this.runs.has(keyOf({ host, lane }));
  }

  occupy(claims: readonly Claim[], { id, kind }: Pick<RunRecord, 'id' | 'kind'>): void {
    for (const claim of claims) this.runs.set(keyOf(claim), { id, kind });
  }

  /** Frees these places, unless another run has them by now. */
  free(claims: readonly Claim[], runId: string): void {
    for (const claim of claims) {
      if (this.runs.get(keyOf(claim))?.id === runId) this.runs.delete(keyOf(claim));
    }
  }
}

const words: Readonly<Record<RunKind, string>> = {
  backup: 'backup',
  verify: 'verification',
  scrub: 'verification',
  archive: 'archive run',
  'verify-archive': 'verification of archives',
  restore: 'restore',
  drill: 'restore drill',
};

/** Names of hosts hold no slash. */
function keyOf({ host, lane }: Claim): string {
  return `${lane}/${host}`;
}
