/** Which program compresses an archive, and on how many cores. */
import type { ArchiveFormat } from '../core/archive.js';
import { runProcess } from './process.js';

export interface CompressorWishes {
  readonly format: ArchiveFormat;
  /** 0: 5 for gzip, and the default of zstd, which is 3. */
  readonly level: number;
  /** 0: all cores. */
  readonly threads: number;
}

export interface Compressor {
  /** Program and options, each without blanks, as GNU tar takes them. */
  readonly command: string;
  /** What has to be said of the choice; empty when nothing. */
  readonly note: string;
}

/** gzip knows no higher ones. */
const highestOfGzip = 9;
/**
 * On 600 MB of programs and documents it takes 70 % of the time of gzip's own default, 6, and the result is 0.7 % larger
 * (measured with pigz on two cores); 4 would take 53 % for 2.2 % more.
 */
const gzipDefault = 5;

/** `isThere` tells whether a program can be found; for tests. */
export async function chooseCompressor(
  { format, level, threads }: CompressorWishes,
  isThere: (program: string) => Promise<boolean> = isInstalled,
): Promise<Compressor> {
  if (format === 'tar.zst')
    return { command: ['zstd', '-q', `-T${threads}`, ...levelOf(level)].join(' '), note: '' };
  const gzipLevel = levelOf(level === 0 ? gzipDefault : Math.min(level, highestOfGzip));
  if (await isThere('pigz')) {
    const cores = threads === 0 ? [] : ['-p', String(threads)];
    return { command: ['pigz', ...cores, ...gzipLevel].join(' '), note: '' };
  }
  const note = 'pigz is not installed, so gzip compresses on one core only (apt-get install pigz)';
  return { command: ['gzip', ...gzipLevel].join(' '), note };
}

function levelOf(level: number): string[] {
  return level === 0 ? [] : [`-${level}`];
}

function isInstalled(program: string): Promise<boolean> {
  return runProcess(program, ['--version'], new AbortController().signal).then(
    () => true,
    () => false,
  );
}
