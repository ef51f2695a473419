/**
 * The source directory of a host of the fleet. It changes also while it is backed up, always by whole files that take
 * the place of others; so each file of a snapshot must be one that was there at some moment of its backup.
 */
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { Content, randomSize } from '../content.js';
import type { Found } from '../compare.js';
import type { Random } from '../random.js';
import { setTime } from '../source-tree.js';

/** A content of a file, and when it was there, by performance.now(). */
interface Version {
  readonly content: Content;
  readonly mtimeNs: bigint;
  readonly fromMs: number;
  untilMs: number;
}

const mode = 0o640;
const tickNs = 15_625_000n;

export class FleetSource {
  private readonly files = new Map<string, Version[]>();
  private ticks = 1_700_000_000n * 64n;
  private lastContent = 0;

  /** `stage` lies on the same disk. */
  constructor(
    readonly root: string,
    private readonly stage: string,
    private readonly seed: number,
  ) {
    for (const directory of [root, stage]) fs.mkdirSync(directory, { recursive: true });
  }

  /** Puts a new content in the place of a file, or makes one where none was. */
  write(path: string, size: number): void {
    const content = Content.of(this.seed, { id: ++this.lastContent, length: size });
    this.ticks += 9n;
    const mtimeNs = this.ticks * tickNs;
    const staged = join(this.stage, 'next');
    const at = join(this.root, path);
    fs.mkdirSync(dirname(at), { recursive: true });
    fs.writeFileSync(staged, content.bytes());
    fs.chmodSync(staged, mode);
    setTime(Buffer.from(staged), mtimeNs);
    const fromMs = performance.now();
    fs.renameSync(staged, at);
    this.close(path);
    const history = this.files.get(path) ?? [];
    this.files.set(path, [...history, { content, mtimeNs, fromMs, untilMs: Infinity }]);
  }

  remove(path: string): void {
    fs.unlinkSync(join(this.root, path));
    this.close(path);
  }

  /** One change; without `mayRemove` nothing vanishes, so that a backup that meets it is still whole. */
  change(random: Random, mayRemove: boolean): void {
    const present = this.present();
    const path = `${random.pick(['a', 'b', 'c'])}/f${random.below(16)}`;
    if (mayRemove && present.length > 20 && random.chance(0.15)) this.remove(random.pick(present));
    else this.write(path, randomSize(random));
  }

  /** Paths of the files that are there now. */
  present(): string[] {
    return [...this.files].flatMap(([path, versions]) =>
      versions.at(-1)?.untilMs === Infinity ? [path] : [],
    );
  }

  /** What of a copy cannot have been made in this time; one sentence each. */
  differences(found: ReadonlyMap<string, Found>, fromMs: number, untilMs: number): string[] {
    const wrong: string[] = [];
    for (const [path, { kind }] of found)
      if (kind !== 'directory' && !this.files.has(path)) wrong.push(`${path} was never there`);
    for (const [path, history] of this.files) {
      const versions = history.filter((one) => one.fromMs <= untilMs && one.untilMs >= fromMs);
      wrong.push(...differencesAt(path, found.get(path), versions, fromMs, untilMs));
    }
    return wrong;
  }

  /** Forgets what was over before this moment: no backup that is still to be looked at began so early. */
  forgetBefore(momentMs: number): void {
    for (const [path, history] of this.files)
      this.files.set(
        path,
        history.filter(({ untilMs }, index) => untilMs >= momentMs || index === history.length - 1),
      );
  }

  private close(path: string): void {
    const last = this.files.get(path)?.at(-1);
    if (last && last.untilMs === Infinity) last.untilMs = performance.now();
  }
}

function differencesAt(
  path: string,
  copy: Found | undefined,
  versions: readonly Version[],
  fromMs: number,
  untilMs: number,
): string[] {
  if (!copy) return isThroughout(versions, fromMs, untilMs) ? [`${path} is missing`] : [];
  if (versions.length === 0) return [`${path} was not there at that time`];
  if (copy.kind !== 'file') return [`${path} is a ${copy.kind}`];
  const wrong: string[] = [];
  if (!versions.some(({ content }) => content.digest() === copy.body))
    wrong.push(`${path} has a content that it did not have at that time`);
  // Of a file that changes meanwhile rsync may have the time of before.
  if (!versions.some(({ mtimeNs }) => mtimeNs === copy.mtimeNs))
    wrong.push(`${path} is of ${copy.mtimeNs}, and was not at that time`);
  if (copy.mode !== mode) wrong.push(`${path} has the mode ${copy.mode.toString(8)}`);
  return wrong;
}

/** Whether there was one version after the other for all of this time. */
function isThroughout(versions: readonly Version[], fromMs: number, untilMs: number): boolean {
  let coveredMs = versions.length === 0 ? -Infinity : fromMs;
  for (const version of versions) {
    if (version.fromMs > coveredMs) return false;
    coveredMs = version.untilMs;
  }
  return coveredMs >= untilMs;
}
