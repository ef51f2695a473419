/** What happens to the directory of an unfinished backup before the next one takes it as a link base. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { bytePath } from './names.js';
import type { Random } from './random.js';
import type { SoakHost } from './soak-host.js';
import { setTime, type SourceTree } from './source-tree.js';

const kinds = [
  'loses files',
  'has files with something else in them',
  'was not flushed before the machine went down',
  'has a damaged mark, and files without their contents',
  'has no mark, and files without their contents',
] as const;

/**
 * Damages it in one way and says which. Files are replaced, not written into, since they may be shared with
 * snapshots.
 */
export function damagePartial(host: SoakHost, directory: string, random: Random): string {
  const kind = random.pick(kinds);
  const mark = join(directory, 'partial.json');
  for (const tree of host.trees) {
    for (const path of tree.paths('file')) {
      const at = bytePath(join(directory, 'data', tree.root), path);
      if (!random.chance(0.5) || !isFile(at)) continue;
      fs.unlinkSync(at);
      if (kind === 'loses files') continue;
      if (kind === 'has files with something else in them') fs.writeFileSync(at, 'something else');
      else loseContent(tree, path, at);
    }
  }
  if (kind === 'was not flushed before the machine went down') {
    const said = fs.existsSync(mark) ? (JSON.parse(fs.readFileSync(mark, 'utf8')) as object) : {};
    fs.writeFileSync(mark, JSON.stringify({ ...said, bootId: 'of another boot', isFlushed: false }));
  }
  if (kind === 'has a damaged mark, and files without their contents') fs.writeFileSync(mark, '{"runId":');
  if (kind === 'has no mark, and files without their contents') fs.rmSync(mark, { force: true });
  return kind;
}

/** A file that rsync must take for that of the source, unless it reads it. */
function loseContent(tree: SourceTree, path: string, at: Buffer): void {
  const { body, mode, mtimeNs } = tree.get(path);
  fs.writeFileSync(at, Buffer.alloc(body.kind === 'file' ? body.content.size : 0));
  fs.chmodSync(at, mode);
  setTime(at, mtimeNs);
}

function isFile(at: Buffer): boolean {
  return fs.lstatSync(at, { throwIfNoEntry: false })?.isFile() === true;
}
