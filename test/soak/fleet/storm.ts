/** Many faults, one after the other and several at once. */
import type { Random } from '../random.js';
import { faults, type Fault } from './faults.js';
import type { FleetHost } from './fleet-host.js';
import type { FleetWorld } from './fleet-world.js';
import type { Ledger } from './ledger.js';

/** Strikes with one fault after the other, several at once, until it is told to stop. */
export class Storm {
  private readonly taken = new Set<string>();
  private readonly strikes = new Set<Promise<void>>();

  constructor(
    private readonly world: FleetWorld,
    private readonly ledger: Ledger,
    private readonly pause: (ms: number) => Promise<void>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Begins one fault of the seed's choice, if nothing stands against it. */
  begin(random: Random): void {
    const { world, ledger, pause } = this;
    const fault = random.weighted(faults);
    const host = random.pick(world.hosts);
    if (fault.needs === 'database' && !world.database.isServer) return;
    const keys = keysOf(fault, host, world);
    if (keys.some((key) => this.taken.has(key))) return;
    for (const key of keys) this.taken.add(key);
    const strike = fault
      .strike(
        {
          world,
          random,
          pause,
          begin: (of, detail) => ledger.begin(fault, of, detail),
          moment: (of, detail) => ledger.moment(fault, of, detail),
        },
        host,
      )
      .catch(this.onError)
      .finally(() => {
        for (const key of keys) this.taken.delete(key);
        this.strikes.delete(strike);
      });
    this.strikes.add(strike);
  }

  /** Settles when all faults are over. */
  async ended(): Promise<void> {
    await Promise.all(this.strikes);
  }
}

function keysOf({ needs }: Fault, host: FleetHost, world: FleetWorld): string[] {
  if (needs === 'nothing') return [];
  if (needs === 'a host') return [host.name];
  const { sshd } = host;
  if (needs === 'an sshd') return [`sshd ${world.sshds.indexOf(sshd)}`];
  return [needs];
}
