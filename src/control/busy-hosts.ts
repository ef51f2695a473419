/** Which hosts have runs that have not ended; a host has at most one in each lane. */
import { Mutex } from 'async-mutex';
import { BusyError } from '../core/errors.js';
import type { Lane } from './run-lanes.js';

export class BusyHosts {
  private readonly runs: Readonly<Record<Lane, Map<string, string>>> = {
    backup: new Map(),
    verification: new Map(),
    drill: new Map(),
  };
  private readonly turn = new Mutex();

  /** Does what depends on a host being free; one piece of work at a time, whatever the host. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.turn.runExclusive(work);
  }

  /** Does a piece of work while the host has no run and gets none. Throws HOST_BUSY. */
  whileFree(host: string, work: () => Promise<void>): Promise<void> {
    return this.exclusively(() => {
      this.refuseBusy(host);
      return work();
    });
  }

  /** Throws HOST_BUSY when the host has a run in one of the lanes. */
  refuseBusy(host: string, lanes: readonly Lane[] = ['backup', 'verification']): void {
    for (const lane of lanes) {
      const run = this.runs[lane].get(host);
      if (run !== undefined) throw new BusyError('HOST_BUSY', { host, run, kind: lane });
    }
  }

  has(host: string, lane: Lane): boolean {
    return this.runs[lane].has(host);
  }

  occupy(host: string, lane: Lane, runId: string): void {
    this.runs[lane].set(host, runId);
  }

  /** Frees the host, unless another run has it by now. */
  free(host: string, lane: Lane, runId: string): void {
    if (this.runs[lane].get(host) === runId) this.runs[lane].delete(host);
  }
}
