/**
 * Reads what rsync says, as it comes: bytes in, events out. Pure and incremental; works for both initiators, where
 * standard output and standard error arrive apart (server) or together (client).
 */
import type { BytePath } from '../core/byte-path.js';
import type { TransferStats } from '../core/snapshot.js';

/** A line of rsync that names a file and a cause. */
export interface RsyncFileError {
  /** Which part of rsync said so. */
  readonly side: 'sender' | 'receiver' | 'unknown';
  /** As rsync shows it, on the side where it happened; readable (see `readableName`). */
  readonly path: string;
  /** For example "Permission denied (13)", or "vanished". */
  readonly why: string;
}

export interface RsyncProgress {
  readonly bytesDone: number;
  /** Bytes done of all bytes of the source that are listed so far. */
  readonly percent: number;
  readonly bytesPerSecond: number;
}

export type RsyncEvent =
  | { readonly kind: 'progress'; readonly progress: RsyncProgress }
  | {
      readonly kind: 'checked';
      readonly transferred: number;
      readonly left: number;
      readonly total: number;
      readonly isListing: boolean;
    }
  /** `size` in bytes; of a directory or link what the file system says. */
  | { readonly kind: 'item'; readonly change: string; readonly size: number; readonly path: string }
  | { readonly kind: 'fileError'; readonly error: RsyncFileError; readonly line: string }
  | { readonly kind: 'ending'; readonly code: number; readonly line: string }
  | { readonly kind: 'stats'; readonly stats: Partial<TransferStats>; readonly line: string }
  | { readonly kind: 'message'; readonly line: string };

/** Longest line that is kept; a longer one is cut, so that endless output costs no memory. */
const longestLine = 32 * 1024;

/** Splits bytes at line ends of both kinds (rsync writes progress with carriage returns). */
export class LineSplitter {
  private pending = '';

  /** The lines that ended in these bytes; empty ones are left out. */
  feed(bytes: Buffer): string[] {
    // Latin-1 keeps every byte; rsync itself writes plain ASCII with other bytes escaped.
    const parts = (this.pending + bytes.toString('latin1')).split(/[\r\n]/);
    this.pending = (parts.pop() ?? '').slice(0, longestLine);
    return parts.filter((line) => line.trim() !== '').map((line) => line.slice(0, longestLine));
  }

  /** What is left when the stream has ended. */
  end(): string[] {
    const last = this.pending;
    this.pending = '';
    return last.trim() === '' ? [] : [last];
  }
}

/**
 * Files that grow meanwhile make the numbers negative or too large. And what was said on standard error in between
 * makes rsync forget to end the line, so that something else may follow in it.
 */
const progressPattern =
  /^\s*(-?[\d,]+)\s+(-?\d+)%\s+([\d.]+)([kMGTP]?)B\/s\s+(?:\d+:\d\d:\d\d|\?\?:\?\?:\?\?)(?:\s+\(xfr#(\d+), (ir|to)-chk=(\d+)\/(\d+)\))?\s*(.*)$/;
const itemPattern = /^([<>ch.*][fdLDS][.+?a-zA-Z ]{9}|\*deleting {2}) (\d+) (.*)$/;
const vanishedPattern = /^file has vanished: "(.*)"(?: \(in [^"]*\))?\s*$/;
/** Names may hold quotes: the path ends at the last one. */
const fileErrorPattern = /^rsync: (?:\[([A-Za-z]+)\] )?([^"]*)"(.*)"[^"]*: ([^":]+ \(\d+\))\s*$/;
/** The deeds of which rsync names the file and then something else in quotes. */
const namesTwo = /(?:rename|copy|symlink|xattr\() ?$/;
const endingPattern = /^rsync (?:error|warning): .*\(code (\d+)\)/;
const unitFactors: Readonly<Record<string, number>> = {
  '': 1,
  k: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
  P: 1024 ** 5,
};

const statsPatterns: readonly (readonly [keyof TransferStats, RegExp])[] = [
  ['fileCount', /^Number of files: ([\d,]+)/],
  ['filesCreated', /^Number of created files: ([\d,]+)/],
  ['filesTransferred', /^Number of regular files transferred: ([\d,]+)/],
  ['totalBytes', /^Total file size: ([\d,]+)/],
  ['transferredBytes', /^Total transferred file size: ([\d,]+)/],
  ['sentBytes', /^Total bytes sent: ([\d,]+)/],
  ['receivedBytes', /^Total bytes received: ([\d,]+)/],
];

/**
 * The lines without those of progress that a later one makes worthless: rsync writes one for every file. Such a line
 * says nothing else: in others something may follow.
 */
export function withoutOldProgress(lines: readonly string[]): readonly string[] {
  const newest = lines.findLastIndex(isBareProgress);
  return lines.filter((line, index) => index === newest || !isBareProgress(line));
}

function isBareProgress(line: string): boolean {
  return line.startsWith(' ') && /^[ \d,-]+%[ \d.:kMGTPB/s?]+\(xfr#[^)]*\) *$/.test(line);
}

/** What one line of rsync says. A progress line may say two things. */
export function parseRsyncLine(line: string): RsyncEvent[] {
  const progress = progressPattern.exec(line);
  if (progress) return [...progressEvents(progress), ...(progress[9] ? parseRsyncLine(progress[9]) : [])];
  const item = itemPattern.exec(line);
  if (item) {
    const [, change = '', size, path = ''] = item;
    return [{ kind: 'item', change, size: toNumber(size), path: readableName(path) }];
  }
  const vanished = vanishedPattern.exec(line);
  if (vanished) {
    const error: RsyncFileError = { side: 'sender', path: readableName(vanished[1] ?? ''), why: 'vanished' };
    return [{ kind: 'fileError', error, line }];
  }
  const ending = endingPattern.exec(line);
  if (ending) return [{ kind: 'ending', code: Number(ending[1]), line }];
  const fileError = fileErrorPattern.exec(line);
  if (fileError) {
    const [, role = '', deed = '', names = '', why = ''] = fileError;
    const path = namesTwo.test(deed) ? names.replace(/"(?: -> |,)".*$/, '') : names;
    const error = { side: sideOf(role), path: readableName(path), why } as const;
    return [{ kind: 'fileError', error, line: readableName(line) }];
  }
  for (const [key, pattern] of statsPatterns) {
    const match = pattern.exec(line);
    if (!match) continue;
    const stats = { [key]: toNumber(match[1]), ...(key === 'fileCount' && regularFilesIn(line)) };
    return [{ kind: 'stats', stats, line }];
  }
  return [{ kind: 'message', line: readableName(line) }];
}

/**
 * Makes a name as rsync writes it readable: bytes that rsync escaped as `\#ooo` and that are printable UTF-8
 * together become characters again, all others stay escaped, so the result is safe to show.
 */
export function readableName(escaped: string): string {
  const ascii = escaped.replace(/[^\x20-\x7e]/g, (char) => octal(char.charCodeAt(0)));
  return ascii.replace(/(?:\\#[2-3][0-7]{2})+/g, (run) => {
    const bytes = Buffer.from(
      run
        .split('\\#')
        .slice(1)
        .map((digits) => Number.parseInt(digits, 8)),
    );
    const text = bytes.toString('utf8');
    return text.includes('\ufffd') || /\p{C}|\p{Zl}|\p{Zp}/u.test(text) ? run : text;
  });
}

/** The bytes of a name as rsync writes it. */
export function bytesOfName(escaped: string): BytePath {
  return escaped.replace(/\\#([0-3][0-7]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** "Number of files: 7 (reg: 4, dir: 2, link: 1)": kinds without any are left out; before rsync 3.1 all of them are. */
function regularFilesIn(line: string): Partial<TransferStats> {
  return { regularFiles: toNumber(/\(.*\breg: ([\d,]+)/.exec(line)?.[1]) };
}

function octal(byte: number): string {
  return `\\#${byte.toString(8).padStart(3, '0')}`;
}

function progressEvents(match: RegExpExecArray): RsyncEvent[] {
  const [, bytes, percent, rate, unit, transferred, listing, left, total] = match;
  const progress: RsyncEvent = {
    kind: 'progress',
    progress: {
      bytesDone: Math.max(0, toNumber(bytes)),
      percent: Math.max(0, Math.min(100, toNumber(percent))),
      bytesPerSecond: Math.round(Number(rate) * (unitFactors[unit ?? ''] ?? 1)),
    },
  };
  if (transferred === undefined) return [progress];
  const checked: RsyncEvent = {
    kind: 'checked',
    transferred: toNumber(transferred),
    left: toNumber(left),
    total: toNumber(total),
    isListing: listing === 'ir',
  };
  return [progress, checked];
}

function toNumber(digits: string | undefined): number {
  return Number((digits ?? '0').replaceAll(',', ''));
}

function sideOf(role: string): RsyncFileError['side'] {
  const lower = role.toLowerCase();
  if (lower === 'sender') return 'sender';
  return lower === 'receiver' || lower === 'generator' ? 'receiver' : 'unknown';
}
