/** DaemonService: the daemon itself. */
import type { DiskWatch } from '../control/disk-watch.js';
import type { Caller } from '../core/caller.js';
import type {
  BackupDisk,
  CallerFacts,
  DaemonServiceServer,
  DiskForecast,
  GetDaemonInfoResponse,
  ReloadConfigResponse,
} from '../gen/busy/v1/daemon_service.js';
import { roleMessages } from './enums.js';
import type { CallAdapters } from './stream.js';

export interface DaemonParts {
  readonly diskWatch: Pick<DiskWatch, 'forecastOf'>;
  /** Collects the daemon's facts as they are now, as far as the caller may see them. */
  readonly daemonInfo: (caller: Caller) => Promise<GetDaemonInfoResponse>;
  /** Takes over the configuration file; throws CONFIG_INVALID, and then nothing has changed. */
  readonly reload: () => Promise<ReloadConfigResponse>;
  /** Sends a test mail to one address, or (empty) to all that are configured, and answers the recipients. */
  readonly sendTestMail: (to: string) => Promise<string[]>;
  /** Measures the daemon; lines in the text format of Prometheus. */
  readonly metricsText: () => Promise<string>;
}

function callerMessage({ name, role, hosts }: Caller): CallerFacts {
  return { name, role: roleMessages[role], hosts: [...(hosts ?? [])] };
}

function forecastOf({ diskWatch }: DaemonParts, disk: BackupDisk): DiskForecast | undefined {
  const forecast = diskWatch.forecastOf(disk.backupdir, disk.freeBytes);
  return forecast ? { ...forecast, fullAt: forecast.fullAt ?? undefined } : undefined;
}

export function daemonHandlers(parts: DaemonParts, calls: CallAdapters): DaemonServiceServer {
  return {
    getDaemonInfo: calls.unary(async (_request, caller) => {
      const info = await parts.daemonInfo(caller);
      const disks = info.disks.map((disk) => ({ ...disk, forecast: forecastOf(parts, disk) }));
      return { ...info, disks, caller: callerMessage(caller) };
    }),
    reloadConfig: calls.unary(() => parts.reload()),
    sendTestMail: calls.unary(async ({ to }) => ({ recipients: await parts.sendTestMail(to) })),
    getMetrics: calls.unary(async () => ({ text: await parts.metricsText() })),
  };
}
