/** DaemonService: the daemon itself. */
import type {
  DaemonServiceServer,
  GetDaemonInfoResponse,
  ReloadConfigResponse,
} from '../gen/busy/v1/daemon_service.js';
import type { CallAdapters } from './stream.js';

export interface DaemonParts {
  /** Collects the daemon's facts as they are now. */
  readonly daemonInfo: () => Promise<GetDaemonInfoResponse>;
  /** Takes over the configuration file; throws CONFIG_INVALID, and then nothing has changed. */
  readonly reload: () => Promise<ReloadConfigResponse>;
  /** Sends a test mail to one address, or (empty) to all that are configured, and answers the recipients. */
  readonly sendTestMail: (to: string) => Promise<string[]>;
  /** Measures the daemon; lines in the text format of Prometheus. */
  readonly metricsText: () => Promise<string>;
}

export function daemonHandlers(parts: DaemonParts, calls: CallAdapters): DaemonServiceServer {
  return {
    getDaemonInfo: calls.unary(() => parts.daemonInfo()),
    reloadConfig: calls.unary(() => parts.reload()),
    sendTestMail: calls.unary(async ({ to }) => ({ recipients: await parts.sendTestMail(to) })),
    getMetrics: calls.unary(async () => ({ text: await parts.metricsText() })),
  };
}
