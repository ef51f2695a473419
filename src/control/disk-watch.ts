/** Notes a few times a day what is free on the disks of backups, and says from that when they will be full. */
import {
  forecastDisk,
  keptSamples,
  type DiskForecast,
  type DiskHistory,
  type DiskSamples,
} from '../core/disk-forecast.js';
import type { Clock } from '../core/ports.js';
import type { DiskRoom } from '../core/space.js';
import type { Catalog } from './catalog.js';

export interface DiskWatchParts {
  readonly clock: Clock;
  readonly catalog: Pick<Catalog, 'hosts'>;
  readonly roomOf: (directory: string) => Promise<DiskRoom | null>;
  readonly history: DiskHistory;
  readonly onError: (message: string, error: unknown) => void;
}

const noteEveryMs = 6 * 3_600_000;
const lookEveryMs = 60_000;

export class DiskWatch {
  private samples: DiskSamples = {};
  private timer: NodeJS.Timeout | null = null;
  private looking: Promise<void> | null = null;

  constructor(private readonly parts: DiskWatchParts) {}

  /** Never throws: without its history the daemon only has no forecast. */
  async start(): Promise<void> {
    this.samples = await this.parts.history.read().catch((error: unknown) => {
      this.parts.onError('the history of free space could not be read', error);
      return {};
    });
    // Not waited for: a disk that hangs must not keep the daemon from its start.
    void this.look();
    this.timer = setInterval(() => void this.look(), lookEveryMs).unref();
  }

  stop(): void {
    if (this.timer) clearInterval(this.timer);
  }

  /** Null until it has been noted for long enough. */
  forecastOf(backupdir: string, freeBytes: number): DiskForecast | null {
    return forecastDisk(this.samples[backupdir] ?? [], freeBytes, this.parts.clock.now());
  }

  /** Notes what is due; one look at a time. Never throws. */
  look(): Promise<void> {
    this.looking ??= this.noteDue().finally(() => {
      this.looking = null;
    });
    return this.looking;
  }

  private async noteDue(): Promise<void> {
    const now = this.parts.clock.now();
    const backupdirs = [...new Set(this.parts.catalog.hosts().map((host) => host.backupdir))];
    const due = backupdirs.filter((backupdir) => {
      const last = this.samples[backupdir]?.at(-1)?.atMs ?? -Infinity;
      return now.getTime() - last >= noteEveryMs;
    });
    for (const backupdir of due) {
      const room = await this.parts.roomOf(backupdir);
      if (!room) continue;
      const known = keptSamples(this.samples[backupdir] ?? [], now);
      const sample = { atMs: now.getTime(), freeBytes: room.free.bytes };
      this.samples = { ...this.samples, [backupdir]: [...known, sample] };
    }
    if (due.length === 0) return;
    await this.parts.history
      .write(this.samples)
      .catch((error: unknown) => this.parts.onError('the history of free space could not be kept', error));
  }
}
