/** Downloads: what is asked for, what is answered, and the rules between. Plain data and pure functions. */
import { showPath, type BytePath } from './byte-path.js';
import type { Host } from './host.js';

/** `auto`: one regular file as it is, all else as tar.gz. */
export type DownloadFormat = 'auto' | 'file' | 'tar' | 'tar.gz';

/** Files of one snapshot to send. */
export interface DownloadTask {
  readonly host: Pick<Host, 'name' | 'backupdir' | 'archivedir' | 'minFree' | 'srcdirs'>;
  /** The name of the snapshot. */
  readonly snapshot: string;
  /** Its directory; null when its files are in its archive only. */
  readonly directory: string | null;
  /** Absolute on the host, checked as `readPathRequest` does; not empty. */
  readonly paths: readonly BytePath[];
  readonly format: DownloadFormat;
}

export interface DownloadStart {
  /** For a file to write: without slashes and control characters. */
  readonly name: string;
  readonly format: Exclude<DownloadFormat, 'auto'>;
  /** Null when it is not known before. */
  readonly sizeBytes: number | null;
  /** Files among them that are known to be damaged on the disk. */
  readonly damagedFileCount: number;
  /** The first `damagedShown` of them. */
  readonly damagedPaths: readonly BytePath[];
  /** What the backup disk could not take of the archive: attributes and the like, in plain words; empty when nothing. */
  readonly losses: string;
}

/** The first step is the start. */
export type DownloadStep = { readonly start: DownloadStart } | { readonly data: Uint8Array };

/**
 * Reads files of a snapshot as one stream, in bounded memory and at the pace of whoever takes the steps; leaving the
 * loop ends all of it. A stream that does not end by itself throws: PATH_NOT_FOUND, PATH_REFUSED and the like before
 * the start, also what keeps an archive from being unpacked (RESTORE_NO_ROOM, ARCHIVE_NOT_RESTORABLE); DOWNLOAD_BROKEN
 * after it.
 */
export type ReadFiles = (task: DownloadTask, signal: AbortSignal) => AsyncGenerator<DownloadStep>;

export const damagedShown = 100;

/** Without those that are below others or stand there twice: a directory brings all that is below it. */
export function withoutNested(paths: readonly BytePath[]): readonly BytePath[] {
  const all = new Set(paths);
  return [...all].filter((path) => !parentsOf(path).some((parent) => all.has(parent)));
}

/** Whether an entry is one of `paths` or below one. */
export function isAmong(paths: ReadonlySet<BytePath>, path: BytePath): boolean {
  return paths.has(path) || parentsOf(path).some((parent) => paths.has(parent));
}

/** The directories above a path, from the nearest to `/`. */
export function parentsOf(path: BytePath): BytePath[] {
  const parents: BytePath[] = [];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
    parents.push(path.slice(0, at));
  return path === '/' ? [] : [...parents, '/'];
}

/** What the file that is downloaded should be called. */
export function downloadName(
  { host, snapshot, paths }: Pick<DownloadTask, 'snapshot' | 'paths'> & { readonly host: string },
  format: DownloadStart['format'],
): string {
  const [first = '/'] = paths;
  const base = showPath(first.slice(first.lastIndexOf('/') + 1)).replace(/[^\p{L}\p{N}\p{M}._ -]/gu, '_');
  if (format === 'file') return base;
  const only = paths.length === 1 && base !== '' ? `-${base}` : '';
  return `${host}-${snapshot}${only}.${format}`;
}
