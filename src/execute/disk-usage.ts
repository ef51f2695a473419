/**
 * What directories take up on their disk, and what deleting them would free. A file is freed only when all its links
 * are inside, so links are counted by inode; remembered are only files that have links which were not met yet. The
 * walk is done by `find`, at the lowest priority: it is several times as fast as Node and cannot stumble over names.
 */
import { access } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { BusyError } from '../core/errors.js';
import type { DiskUsage } from '../core/space.js';
import { LinkCountdown } from './link-countdown.js';
import { describeEnding, startProcess } from './process.js';

/** One line an entry: type, inode, number of links, blocks of 512 bytes. */
const format = '%y %i %n %b\\n';
const blockBytes = 512;
const mostComplaints = 64 * 1024;

/** Parts of a 64-bit number below and above this. */
const lowBase = 1e9;

/**
 * Walks directories of one file system as one: links between them are links inside. `onEntries` hears how many entries
 * were met. Answers null when none of them is there any more. Throws CANCELLED, or BACKUPDIR_UNUSABLE for what cannot
 * be read.
 */
export async function measureUsage(
  directories: readonly string[],
  onEntries: (count: number) => void,
  signal: AbortSignal,
): Promise<DiskUsage | null> {
  const meter = new UsageMeter();
  const args = ['-n', '19', 'find', ...directories, '-xdev', '-printf', format];
  const find = startProcess('nice', args, signal);
  find.stdin.end();
  const complaints = collect(find.stderr);
  for await (const bytes of find.stdout as AsyncIterable<Buffer>) {
    meter.feed(bytes);
    onEntries(meter.entries);
  }
  const [ending, complained] = await Promise.all([find.ended, complaints]);
  if (signal.aborted) throw new BusyError('CANCELLED', { by: 'on request' });
  if (await areGone(directories)) return null;
  // Files that are moved or removed meanwhile are no fault.
  const fault = complained
    .split('\n')
    .find((line) => line !== '' && !line.endsWith('No such file or directory'));
  if (fault !== undefined || (ending.code !== 0 && complained === '')) {
    const detail = fault ?? `find ended with ${describeEnding(ending)}`;
    throw new BusyError('BACKUPDIR_UNUSABLE', { backupdir: directories[0] ?? '', detail });
  }
  return meter.usage();
}

/** Reads what `find` prints; pure. */
export class UsageMeter {
  entries = 0;
  private readonly links = new LinkCountdown();
  private seenBlocks = 0;
  private ownBlocks = 0;
  private sharedBlocks = 0;
  private seenInodes = 0;
  private ownInodes = 0;
  private field = 0;
  private isDirectory = false;
  private high = 0;
  private low = 0;
  private linkCount = 0;
  private blocks = 0;

  feed(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte === 0x20) this.field += 1;
      else if (byte === 0x0a) this.endLine();
      else if (this.field === 0) this.isDirectory = byte === 0x64;
      else if (this.field === 1) this.takeInodeDigit(byte - 0x30);
      else if (this.field === 2) this.linkCount = this.linkCount * 10 + byte - 0x30;
      else this.blocks = this.blocks * 10 + byte - 0x30;
    }
  }

  usage(): DiskUsage {
    return {
      seen: { bytes: this.seenBlocks * blockBytes, inodes: this.seenInodes },
      own: { bytes: this.ownBlocks * blockBytes, inodes: this.ownInodes },
      sharedBytes: this.sharedBlocks * blockBytes,
    };
  }

  private takeInodeDigit(digit: number): void {
    const low = this.low * 10 + digit;
    const carry = Math.floor(low / lowBase);
    this.low = low - carry * lowBase;
    this.high = this.high * 10 + carry;
  }

  private endLine(): void {
    // The links of a directory are its subdirectories.
    const links = this.isDirectory ? 1 : this.linkCount;
    const link = links <= 1 ? 'only' : this.links.count(this.high, this.low, links);
    if (link === 'only' || link === 'first') {
      this.seenBlocks += this.blocks;
      this.seenInodes += 1;
    }
    if (link === 'only' || link === 'last') {
      this.ownBlocks += this.blocks;
      this.ownInodes += 1;
    }
    this.sharedBlocks += this.blocks / Math.max(1, links);
    this.entries += 1;
    this.field = 0;
    this.high = 0;
    this.low = 0;
    this.linkCount = 0;
    this.blocks = 0;
  }
}

async function areGone(directories: readonly string[]): Promise<boolean> {
  const found = await Promise.all(
    directories.map((directory) =>
      access(directory).then(
        () => true,
        () => false,
      ),
    ),
  );
  return !found.includes(true);
}

async function collect(stream: Readable): Promise<string> {
  let text = '';
  for await (const bytes of stream as AsyncIterable<Buffer>) {
    if (text.length < mostComplaints) text += bytes.toString('utf8');
  }
  return text;
}
