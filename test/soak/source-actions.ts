/** What happens to files on a host between two backups, one small change at a time. */
import { randomSize } from './content.js';
import { freshPath, inDirectory, shown } from './names.js';
import type { Random } from './random.js';
import type { Body, SourceTree } from './source-tree.js';

interface SourceAction {
  readonly name: string;
  readonly weight: number;
  /** Changes the tree and answers what it did; null when there is nothing that it fits. */
  readonly act: (tree: SourceTree, random: Random) => string | null;
}

/** A tree with more entries only loses some. */
const mostEntries = 120;

/** Changes the tree in one way and says which. The same tree and the same random decisions give the same change. */
export function changeSource(tree: SourceTree, random: Random): string {
  const isFull = tree.paths('file', 'symlink', 'directory').length > mostEntries;
  const choice = isFull ? actions.filter(({ name }) => name.startsWith('remove')) : actions;
  for (;;) {
    const { name, act } = random.weighted(choice);
    const done = act(tree, random);
    if (done !== null) return `${name} ${done}`;
  }
}

const actions: readonly SourceAction[] = [
  {
    name: 'write a file',
    weight: 8,
    act: (tree, random) => {
      const path = free(tree, random);
      const content = tree.newContent(randomSize(random));
      tree.make(path, { kind: 'file', content }, fileMode(random));
      return `${shown(path)} of ${content.size} bytes`;
    },
  },
  {
    name: 'rewrite',
    weight: 3,
    act: onFile((tree, random, path) => tree.rewrite(path, tree.newContent(randomSize(random)))),
  },
  {
    name: 'rewrite with the same size',
    weight: 3,
    act: onFile((tree, _, path) => tree.rewrite(path, tree.newContent(sizeOf(tree, path)))),
  },
  {
    name: 'rewrite with the same size a nanosecond later',
    weight: 3,
    act: onFile((tree, _, path) => {
      tree.rewrite(path, tree.newContent(sizeOf(tree, path)), tree.get(path).mtimeNs + 1n);
    }),
  },
  {
    name: 'append to',
    weight: 3,
    act: onFile((tree, random, path) => {
      tree.rewrite(path, contentOf(tree, path).withAppended(tree.newPiece(1 + randomSize(random))));
    }),
  },
  {
    name: 'truncate',
    weight: 2,
    act: onFile((tree, random, path) => {
      tree.rewrite(path, contentOf(tree, path).cutTo(random.below(sizeOf(tree, path) + 1)));
    }),
  },
  {
    name: 'replace by a new file of the same size',
    weight: 2,
    act: onFile((tree, _, path) => {
      const content = tree.newContent(sizeOf(tree, path));
      const { mode } = tree.get(path);
      tree.remove(path);
      tree.make(path, { kind: 'file', content }, mode);
    }),
  },
  { name: 'touch', weight: 2, act: onAny((tree, _, path) => tree.change(path, { mtimeNs: tree.newTime() })) },
  {
    name: 'change the mode of',
    weight: 3,
    act: onFile((tree, random, path) => tree.change(path, { mode: fileMode(random) })),
  },
  {
    name: 'change the mode of directory',
    weight: 1,
    act: (tree, random) => {
      const path = random.pick(tree.directories());
      tree.change(path, { mode: directoryMode(random) });
      return shown(path);
    },
  },
  {
    name: 'link',
    weight: 4,
    act: onFile((tree, random, path) => {
      const newPath = free(tree, random);
      tree.link(path, newPath);
      return shown(newPath);
    }),
  },
  {
    name: 'copy onto itself, attributes and all, so that it is no link any more:',
    weight: 1,
    act: onFile((tree, _, path) => {
      const { body, mode, mtimeNs } = tree.get(path);
      tree.remove(path);
      tree.make(path, body, mode, mtimeNs);
    }),
  },
  {
    name: 'make a symlink',
    weight: 2,
    act: (tree, random) => {
      const path = free(tree, random);
      const target = random.pick([...tree.paths('file', 'directory'), '/nowhere', '../..', 'a\n\u00FF']);
      tree.make(path, { kind: 'symlink', target }, 0o777);
      return `${shown(path)} to ${shown(target)}`;
    },
  },
  {
    name: 'make a directory',
    weight: 3,
    act: (tree, random) => {
      const path = free(tree, random);
      tree.make(path, { kind: 'directory' }, directoryMode(random));
      return shown(path);
    },
  },
  {
    name: 'rename',
    weight: 4,
    act: onAny((tree, random, path) => {
      const newPath = free(tree, random, path);
      tree.rename(path, newPath);
      return shown(newPath);
    }),
  },
  {
    name: 'rename over another file:',
    weight: 2,
    act: onFile((tree, random, path) => {
      const other = random.pick(tree.paths('file'));
      if (tree.get(other) === tree.get(path)) return 'the same file';
      tree.remove(other);
      tree.rename(path, other);
      return shown(other);
    }),
  },
  {
    name: 'swap with another:',
    weight: 1,
    act: onFile((tree, random, path) => {
      const other = random.pick(tree.paths('file'));
      if (other === path) return 'itself';
      const between = freshPath(random, '', (taken) => tree.has(taken));
      tree.rename(path, between);
      tree.rename(other, path);
      tree.rename(between, other);
      return shown(other);
    }),
  },
  { name: 'remove', weight: 5, act: onFile((tree, _, path) => tree.remove(path)) },
  {
    name: 'remove with all that is in it',
    weight: 1,
    act: onAny((tree, _, path) => tree.remove(path)),
  },
  {
    name: 'make something of another kind from',
    weight: 2,
    act: onAny((tree, random, path) => {
      const { kind } = tree.get(path).body;
      tree.remove(path);
      const bodies: Body[] = [
        { kind: 'file', content: tree.newContent(randomSize(random)) },
        { kind: 'symlink', target: 'elsewhere' },
        { kind: 'directory' },
      ];
      const body = random.pick(bodies.filter((other) => other.kind !== kind));
      tree.make(path, body, body.kind === 'directory' ? directoryMode(random) : fileMode(random));
      if (body.kind === 'directory')
        tree.make(inDirectory(path, 'inside'), { kind: 'file', content: tree.newContent(10) }, 0o600);
      return `a ${body.kind}`;
    }),
  },
];

type Change = (tree: SourceTree, random: Random, path: string) => string | void;

function onFile(change: Change): SourceAction['act'] {
  return onOneOf((tree) => tree.paths('file'), change);
}

function onAny(change: Change): SourceAction['act'] {
  return onOneOf((tree) => tree.paths('file', 'symlink', 'directory'), change);
}

function onOneOf(candidates: (tree: SourceTree) => string[], change: Change): SourceAction['act'] {
  return (tree, random) => {
    const paths = candidates(tree);
    if (paths.length === 0) return null;
    const path = random.pick(paths);
    const also = change(tree, random, path);
    return also === undefined ? shown(path) : `${shown(path)}, ${also}`;
  };
}

/** A path where nothing is, and not inside of `outside`. */
function free(tree: SourceTree, random: Random, outside?: string): string {
  const inside = outside === undefined ? [] : tree.below(outside);
  const length = Math.max(0, ...inside.map((path) => path.length));
  // A path has at most 4096 bytes, the store's own part included.
  const directories = tree
    .directories()
    .filter((path) => path === '' || (!inside.includes(path) && path.length + length < 1000));
  return freshPath(random, random.pick(directories), (path) => tree.has(path));
}

function contentOf(tree: SourceTree, path: string): Extract<Body, { kind: 'file' }>['content'] {
  const { body } = tree.get(path);
  if (body.kind !== 'file') throw new Error(`${path} is no file`);
  return body.content;
}

function sizeOf(tree: SourceTree, path: string): number {
  return contentOf(tree, path).size;
}

/** The owner can always read it, so that the tests need not be root. */
function fileMode(random: Random): number {
  const special = random.chance(0.1) ? random.pick([0o4000, 0o2000, 0o1000]) : 0;
  return 0o400 | random.below(0o400) | special;
}

function directoryMode(random: Random): number {
  const special = random.chance(0.1) ? random.pick([0o2000, 0o1000]) : 0;
  return 0o700 | random.below(0o100) | special;
}
