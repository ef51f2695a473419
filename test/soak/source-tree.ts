/**
 * A source directory and the model of it. Every change is made in both, times and modes included, so the model knows
 * what a snapshot must hold; a snapshot taken now must hold `freeze()` for ever. Synchronous, since nothing else is to
 * happen between the two.
 */
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { bytePath, parentOf } from './names.js';
import { Content } from './content.js';

export type Body =
  | { readonly kind: 'file'; readonly content: Content }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'directory' };

/** Never changed; one that several paths have is a group of hard links. */
export interface Inode {
  readonly body: Body;
  /** Permission bits; of a symlink they mean nothing. */
  readonly mode: number;
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint;
}

/** By path; the root is ''. */
export type Tree = ReadonlyMap<string, Inode>;

/** What a 64th of a second is; each is a floating-point number without loss, which Node takes times as. */
const tickNs = 15_625_000n;
const secondNs = 1_000_000_000n;

export class SourceTree {
  private readonly entries = new Map<string, Inode>();
  private ticks = 1_700_000_000n * 64n;
  private lastContent = 0;

  constructor(
    readonly root: string,
    private readonly seed: number,
  ) {
    fs.mkdirSync(root, { recursive: true });
    this.set('', { body: { kind: 'directory' }, mode: 0o755, mtimeNs: this.newTime() });
  }

  freeze(): Tree {
    return new Map(this.entries);
  }

  has(path: string): boolean {
    return this.entries.has(path);
  }

  get(path: string): Inode {
    const inode = this.entries.get(path);
    if (!inode) throw new Error(`the model has no ${path}`);
    return inode;
  }

  /** The root is not among them. */
  paths(...kinds: readonly Body['kind'][]): string[] {
    return [...this.entries]
      .filter(([path, { body }]) => path !== '' && kinds.includes(body.kind))
      .map(([path]) => path);
  }

  directories(): string[] {
    return ['', ...this.paths('directory')];
  }

  /** Everything in a directory, with itself, parents first. */
  below(path: string): string[] {
    return [...this.entries.keys()].filter((other) => other === path || other.startsWith(`${path}/`)).sort();
  }

  /** Bytes that no file had before. */
  newContent(length: number): Content {
    return Content.of(this.seed, this.newPiece(length));
  }

  newPiece(length: number): { id: number; length: number } {
    return { id: ++this.lastContent, length };
  }

  /** Later than all before, often within the same second. */
  newTime(): bigint {
    this.ticks += 9n;
    return this.ticks * tickNs;
  }

  /** Makes a file, symlink or directory where nothing is. */
  make(path: string, body: Body, mode: number, mtimeNs = this.newTime()): void {
    const at = this.at(path);
    if (body.kind === 'file') fs.writeFileSync(at, body.content.bytes());
    else if (body.kind === 'symlink') fs.symlinkSync(Buffer.from(body.target, 'latin1'), at);
    else fs.mkdirSync(at);
    this.set(path, { body, mode, mtimeNs });
    this.touchParent(path);
  }

  /** Writes into a file in place, so its other links change too. */
  rewrite(path: string, content: Content, mtimeNs = this.newTime()): void {
    const at = this.at(path);
    fs.chmodSync(at, 0o600);
    fs.writeFileSync(at, content.bytes());
    this.change(path, { body: { kind: 'file', content }, mtimeNs });
  }

  /** Changes mode or time of an inode, at all its paths. */
  change(path: string, changes: Partial<Inode>): void {
    const before = this.get(path);
    const after = { ...before, ...changes };
    for (const [other, inode] of this.entries) if (inode === before) this.entries.set(other, after);
    this.set(path, after);
  }

  link(path: string, newPath: string): void {
    fs.linkSync(this.at(path), this.at(newPath));
    this.entries.set(newPath, this.get(path));
    this.touchParent(newPath);
  }

  /** `newPath` must be free. */
  rename(path: string, newPath: string): void {
    fs.renameSync(this.at(path), this.at(newPath));
    for (const old of this.below(path)) {
      this.entries.set(newPath + old.slice(path.length), this.get(old));
      this.entries.delete(old);
    }
    this.set(newPath, this.get(newPath));
    this.touchParent(path);
    this.touchParent(newPath);
  }

  /** With everything in it. By hand, since Node removes no tree with names that are not UTF-8. */
  remove(path: string): void {
    for (const doomed of this.below(path).toReversed()) {
      if (this.get(doomed).body.kind === 'directory') fs.rmdirSync(this.at(doomed));
      else fs.unlinkSync(this.at(doomed));
      this.entries.delete(doomed);
    }
    this.touchParent(path);
  }

  private touchParent(path: string): void {
    this.change(parentOf(path), { mtimeNs: this.newTime() });
  }

  private set(path: string, inode: Inode): void {
    this.entries.set(path, inode);
    if (inode.body.kind !== 'symlink') fs.chmodSync(this.at(path), inode.mode);
    setTime(this.at(path), inode.mtimeNs);
  }

  private at(path: string): Buffer {
    return bytePath(this.root, path);
  }
}

/** Sets the time of a file, directory or symlink to the nanosecond. */
export function setTime(at: Buffer, mtimeNs: bigint): void {
  if (mtimeNs % tickNs === 0n) {
    const seconds = Number(mtimeNs / tickNs) / 64;
    fs.lutimesSync(at, seconds, seconds);
    return;
  }
  const fraction = String(mtimeNs % secondNs).padStart(9, '0');
  const touch = ['touch', '-h', '-d', `@${mtimeNs / secondNs}.${fraction}`, '--'];
  // Through xargs, since an argument of Node is a text and a name may be none.
  const { status, stderr } = spawnSync('xargs', ['-0', ...touch], { input: at });
  if (status !== 0) throw new Error(`touch ended with ${status}: ${stderr.toString()}`);
}
