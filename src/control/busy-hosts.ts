/** Which hosts have a run that has not ended; a host has at most one. */
import { Mutex } from 'async-mutex';
import { BusyError } from '../core/errors.js';

export class BusyHosts {
  private readonly runOf = new Map<string, string>();
  private readonly turn = new Mutex();

  /** Does what depends on a host being free; one piece of work at a time, whatever the host. */
  exclusively<T>(work: () => Promise<T>): Promise<T> {
    return this.turn.runExclusive(work);
  }

  /** Throws HOST_BUSY when the host has a run. */
  refuseBusy(host: string): void {
    const run = this.runOf.get(host);
    if (run !== undefined) throw new BusyError('HOST_BUSY', { host, run });
  }

  has(host: string): boolean {
    return this.runOf.has(host);
  }

  occupy(host: string, runId: string): void {
    this.runOf.set(host, runId);
  }

  /** Frees the host, unless another run has it by now. */
  free(host: string, runId: string): void {
    if (this.runOf.get(host) === runId) this.runOf.delete(host);
  }
}
