/** Downloads of files of snapshots: how many there may be at once, and what ends them. */
import type { DownloadFormat, DownloadStep, ReadFiles } from '../core/download.js';
import type { BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import type { Catalog } from './catalog.js';
import type { HostHold } from './host-claims.js';

export interface DownloadsParts {
  readonly catalog: Pick<Catalog, 'host' | 'snapshot'>;
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
  readonly ended: Promise<void>;
}

export class Downloads {
  private readonly open = new Set<OpenDownload>();

  constructor(private readonly parts: DownloadsParts) {}

  /**
   * The first step is the start. Ends soon after `signal`. Throws HOST_NOT_FOUND, SNAPSHOT_NOT_FOUND, HOST_ELSEWHERE,
   * TOO_MANY_DOWNLOADS, and as `ReadFiles`.
   */
  async *download(request: DownloadRequest, signal: AbortSignal): AsyncGenerator<DownloadStep> {
    const { catalog, hold, readFiles } = this.parts;
    const { backupdir } = catalog.host(request.host);
    const { path: directory } = catalog.snapshot(request.host, request.snapshot);
    hold.refuseElsewhere(request.host);
    if (this.open.size >= mostAtOnce)
      throw new BusyError('TOO_MANY_DOWNLOADS', { count: String(this.open.size) });
    const stop = new AbortController();
    const end = new AbortController();
    const ended = new Promise<void>((resolve) => end.signal.addEventListener('abort', () => resolve()));
    const download = { backupdir, stop, ended };
    this.open.add(download);
    try {
      const task = { ...request, directory };
      for await (const step of readFiles(task, AbortSignal.any([signal, stop.signal]))) {
        if (stop.signal.aborted) break;
        yield step;
      }
      if (stop.signal.aborted) {
        const detail = 'post-backup may unmount the disk';
        throw new BusyError('DOWNLOAD_BROKEN', { snapshot: request.snapshot, detail });
      }
    } finally {
      this.open.delete(download);
      end.abort();
    }
  }

  /** Ends those from a backup directory; settles when nothing of them works there any more. */
  async endBelow(backupdir: string): Promise<void> {
    const below = [...this.open].filter((download) => download.backupdir === backupdir);
    for (const { stop } of below) stop.abort();
    await Promise.all(below.map(({ ended }) => ended));
  }
}
