/**
 * Looks whether hosts are there: connects to their addresses and ends each connection as soon as the key is known. A
 * host that is slow or hangs, or whose name cannot be resolved, delays no other.
 */
import { connect, isIP, type Socket } from 'node:net';
import type { Host } from '../core/host.js';
import { judgePresence, type AddressAnswer, type Answer, type Presence } from '../core/presence.js';
import type { NameLookup } from './name-lookup.js';
import { identifySsh } from './ssh-handshake.js';
import { StartSlots } from './start-slots.js';

/** So many hosts are asked at the same time: a handshake costs more than a millisecond, and others wait for it. */
const places = 16;
/** A host that takes longer than this gives its place to the next. */
const patienceMs = 250;

export class HostPresence {
  private readonly slots = new StartSlots(places, patienceMs);
  private readonly sockets = new Set<Socket>();
  private isClosed = false;

  constructor(private readonly names: Pick<NameLookup, 'addressesOf' | 'close'>) {}

  /** Tries the addresses in turn, each for at most its `connect_timeout` after its name is known. Never throws. */
  lookFor(host: Host): Promise<Presence> {
    return this.slots.take(host.name, () => this.tryAddresses(host));
  }

  /** Ends all looks, and the lookups of names; a host that is looked for now is not online. */
  close(): void {
    this.isClosed = true;
    this.names.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private async tryAddresses(host: Host): Promise<Presence> {
    const answers: AddressAnswer[] = [];
    for (const address of host.addresses) {
      const answer = await this.ask(host, address);
      answers.push({ address, answer });
      if (answer.kind === 'pinned key' || (answer.kind === 'ssh' && host.hostKey === '')) break;
    }
    return judgePresence(answers);
  }

  private async ask(host: Host, address: string): Promise<Answer> {
    const found = await this.names.addressesOf(address);
    if (found.length === 0) return { kind: 'no address' };
    return this.isClosed
      ? { kind: 'nothing' }
      : identifySsh(host, () => this.open(address, host.port, found));
  }

  /** Connects without looking the name up again. */
  private open(host: string, port: number, found: readonly string[]): Socket {
    const addresses = found.map((address) => ({ address, family: isIP(address) }));
    const socket = connect({
      host,
      port,
      autoSelectFamily: true,
      lookup: (_name, _options, answer) => answer(null, addresses),
    });
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    return socket;
  }
}
