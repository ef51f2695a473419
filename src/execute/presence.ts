/** Whether a host is online: something at one of its addresses answers as an SSH server. Costs the host one packet. */
import { connect } from 'node:net';
import type { Host } from '../core/host.js';

/** A host that is there answers much sooner; one that is not must not hold up the others. */
const answerMs = 3000;

/** Tries the addresses in turn. Never throws; who answers is checked by the run, with its pinned key. */
export async function isOnline(host: Host): Promise<boolean> {
  for (const address of host.addresses) {
    if (await answersAsSsh(address, host.port)) return true;
  }
  return false;
}

function answersAsSsh(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const finish = (isThere: boolean): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(isThere);
    };
    const late = setTimeout(() => finish(false), answerMs);
    socket.once('data', (bytes: Buffer) => finish(bytes.subarray(0, 4).toString('latin1') === 'SSH-'));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
  });
}
