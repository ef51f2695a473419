/**
 * Lists a tree in the order of a manifest, some hundred paths at a time, without a look at each: a directory tells what
 * in it is a directory too. In memory are the names of the directories on the way to the present path, nothing else.
 */
import { readdirSync } from 'node:fs';
import type { BytePath } from '../core/byte-path.js';
import { codeOf, diskPath, isAbsent, lookAt } from './tree-walk.js';

/** Neighbours in the order of a manifest. */
export interface ListedPaths {
  readonly paths: readonly BytePath[];
  /** Which of the paths, by their place, have been listed themselves: what is below them follows. */
  readonly directories: ReadonlySet<number>;
  /** Directories that could not be listed, by their place, with the code of the error. */
  readonly errors: ReadonlyMap<number, string>;
}

interface Level {
  /** With a slash at the end. */
  readonly prefix: BytePath;
  /** Sorted. */
  readonly names: readonly BytePath[];
  readonly directories: ReadonlySet<BytePath>;
  at: number;
}

export class TreeListing {
  private readonly levels: Level[];
  private paths: BytePath[] = [];
  private directories = new Set<number>();
  private errors = new Map<number, string>();

  /** A root that is no directory is listed alone. */
  constructor(private readonly root: BytePath) {
    const isDirectory = lookAt(root, '/')?.type === 'directory';
    this.levels = [{ prefix: '', names: ['/'], directories: new Set(isDirectory ? ['/'] : []), at: 0 }];
  }

  /** The next paths, `count` of them unless the end is near; null at the end. What vanishes meanwhile is left out. */
  next(count: number): ListedPaths | null {
    this.paths = [];
    this.directories = new Set();
    this.errors = new Map();
    for (let level = this.levels.at(-1); level && this.paths.length < count; level = this.levels.at(-1)) {
      const name = level.names[level.at++];
      if (name === undefined) this.levels.pop();
      else if (level.directories.has(name)) this.enter(level.prefix + name);
      else this.paths.push(level.prefix + name);
    }
    const { paths, directories, errors } = this;
    return paths.length === 0 ? null : { paths, directories, errors };
  }

  private enter(path: BytePath): void {
    try {
      const { names, directories } = readDirectory(this.root, path);
      this.levels.push({ prefix: below(path), names, directories, at: 0 });
    } catch (error) {
      const code = codeOf(error);
      if (isAbsent(code)) return;
      this.errors.set(this.paths.length, code);
    }
    this.directories.add(this.paths.length);
    this.paths.push(path);
  }
}

function readDirectory(root: BytePath, path: BytePath): Pick<Level, 'names' | 'directories'> {
  const place = diskPath(root, path);
  try {
    const entries = readdirSync(place, { encoding: 'latin1', withFileTypes: true });
    const directories = new Set<BytePath>();
    for (const entry of entries) if (entry.isDirectory()) directories.add(entry.name);
    return { names: entries.map(({ name }) => name).sort(), directories };
  } catch {
    // Where a file system does not tell types, Node asks for them by names in UTF-8, which these may not be.
    const names = readdirSync(place, { encoding: 'latin1' }).sort();
    const isDirectory = (name: BytePath): boolean => lookAt(root, below(path) + name)?.type === 'directory';
    return { names, directories: new Set(names.filter(isDirectory)) };
  }
}

function below(path: BytePath): BytePath {
  return path === '/' ? '/' : `${path}/`;
}
