/** DaemonService: the daemon itself. */
import type { DaemonServiceServer, GetDaemonInfoResponse } from '../gen/busy/v1/daemon_service.js';
import type { CallAdapters } from './stream.js';

/** Collects the daemon's facts as they are now. */
export type DaemonInfoSource = () => Promise<GetDaemonInfoResponse>;

export function daemonHandlers(collect: DaemonInfoSource, calls: CallAdapters): DaemonServiceServer {
  return { getDaemonInfo: calls.unary(collect) };
}
