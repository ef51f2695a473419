/** What processes and all that they have started write, as the system counts it: an upper bound for what is new on a disk. */
import { readFile, readdir } from 'node:fs/promises';
import type { Written } from '../core/quota.js';

/** What one may have written after it was looked at for the last time. */
const unseen: Written = { bytes: 1024 ** 3, calls: 0 };
const nothing: Written = { bytes: 0, calls: 0 };
const unknown: Written = { bytes: Infinity, calls: 0 };

export class WriteMeter {
  /** By process id; those that have ended too. */
  private readonly seen = new Map<number, Written>();
  private readonly ended = new Set<number>();

  add(pid: number, hasEnded: Promise<unknown>): void {
    this.seen.set(pid, nothing);
    const end = (): void => void this.ended.add(pid);
    hasEnded.then(end, end);
  }

  /** Since the beginning; infinite where the system does not say. */
  async total(): Promise<Written> {
    let sum = nothing;
    for (const [pid, before] of this.seen) {
      const hasEnded = this.ended.has(pid);
      const now = hasEnded ? before : larger(before, await writtenBy(pid));
      this.seen.set(pid, now);
      sum = add(sum, hasEnded ? add(now, unseen) : now);
    }
    return sum;
  }
}

/** What a process has written, with its children, whose figures it takes over when they end. */
async function writtenBy(pid: number): Promise<Written> {
  const [text, children] = await Promise.all([
    readFile(`/proc/${pid}/io`, 'utf8').catch((error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' || error.code === 'ESRCH' ? '' : null,
    ),
    childrenOf(pid),
  ]);
  if (text === null) return unknown;
  const own = { bytes: numberIn(text, 'wchar'), calls: numberIn(text, 'syscw') };
  const theirs = await Promise.all(children.map(writtenBy));
  return theirs.reduce(add, own);
}

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => [] as string[]);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

function numberIn(text: string, name: string): number {
  return Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

function add(a: Written, b: Written): Written {
  return { bytes: a.bytes + b.bytes, calls: a.calls + b.calls };
}

function larger(a: Written, b: Written): Written {
  return a.bytes > b.bytes ? a : b;
}
