/** Downloads of files of snapshots: how many there may be at once, and what ends them. */
import type { DownloadFormat, DownloadStep, ReadFiles } from '../core/download.js';
import type { BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import type { Browser } from './browser.js';
import type { Catalog } from './catalog.js';
import type { HostHold } from './host-claims.js';

export interface DownloadsParts {
  readonly catalog: Pick<Catalog, 'host'>;
  readonly browser: Pick<Browser, 'snapshot'>;
  readonly hold: Pick<HostHold, 'refuseElsewhere'>;
  readonly readFiles: ReadFiles;
}

export interface DownloadRequest {
  readonly host: string;
  readonly snapshot: string;
  readonly paths: readonly BytePath[];
  readonly format: DownloadFormat;
}

/** Each reads and compresses as fast as its reader takes it. */
const mostAtOnce = 4;

interface OpenDownload {
  readonly backupdir: string;
  readonly stop: AbortController;
  readonly snapshot: string;
  readonly steps: AsyncGenerator<DownloadStep>;
  /** Why it was ended before its time. */
  why: BusyError | null;
}

export class Downloads {
  private readonly open = new Set<OpenDownload>();

  /** `mostIdleMs`: how long a reader may take nothing. */
  constructor(
    private readonly parts: DownloadsParts,
    private readonly mostIdleMs = 5 * 60_000,
  ) {}

  /**
   * The first step is the start. Ends soon after `signal`. Throws HOST_NOT_FOUND, SNAPSHOT_NOT_FOUND, HOST_ELSEWHERE,
   * TOO_MANY_DOWNLOADS, DOWNLOAD_STALLED, and as `ReadFiles`.
   */
  async *download(request: DownloadRequest, signal: AbortSignal): AsyncGenerator<DownloadStep> {
    const { catalog, browser, hold, readFiles } = this.parts;
    const { snapshot } = request;
    const host = catalog.host(request.host);
    const found = await browser.snapshot(host.name, snapshot);
    hold.refuseElsewhere(host.name);
    if (this.open.size >= mostAtOnce)
      throw new BusyError('TOO_MANY_DOWNLOADS', { count: String(this.open.size) });
    const stop = new AbortController();
    const task = { ...request, host, directory: found.source.directory };
    const steps = readFiles(task, AbortSignal.any([signal, stop.signal]));
    const download: OpenDownload = { backupdir: host.backupdir, stop, snapshot, steps, why: null };
    this.open.add(download);
    const seconds = String(Math.ceil(this.mostIdleMs / 1000));
    const stalled = new BusyError('DOWNLOAD_STALLED', { snapshot, seconds });
    try {
      for await (const step of steps) {
        if (download.why) break;
        const limit = setTimeout(() => void this.end(download, stalled), this.mostIdleMs);
        try {
          yield step;
        } finally {
          clearTimeout(limit);
        }
      }
    } catch (error) {
      throw download.why ?? error;
    } finally {
      this.open.delete(download);
    }
    if (download.why) throw download.why;
  }

  /** Ends those from a backup directory; settles when nothing of them works there any more. */
  async endBelow(backupdir: string): Promise<void> {
    const below = [...this.open].filter((download) => download.backupdir === backupdir);
    const detail = 'post-backup may unmount the disk';
    const endings = below.map((download) => {
      const { snapshot } = download;
      return this.end(download, new BusyError('DOWNLOAD_BROKEN', { snapshot, detail }));
    });
    await Promise.all(endings);
  }

  /** Also one whose reader takes nothing: what reads for it ends at once, and the reader hears why when it goes on. */
  private async end(download: OpenDownload, why: BusyError): Promise<void> {
    download.why ??= why;
    download.stop.abort();
    await download.steps.return(undefined).catch(() => {});
    this.open.delete(download);
  }
}
