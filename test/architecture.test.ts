/**
 * The layers of the house, kept by reading every import. What fails here names the file, what it took, and what it
 * may take. A file that belongs to no layer fails too: give it one.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = new URL('../', import.meta.url).pathname;

interface SourceFile {
  readonly path: string;
  readonly lines: number;
  /** Without comments. */
  readonly code: string;
  /** Files of the repository as paths from its root, all else as written. */
  readonly imports: readonly string[];
}

interface Layer {
  /** What belongs to it: folders end in a slash. */
  readonly paths: readonly (string | RegExp)[];
  /** Layers that it may import, besides itself. */
  readonly uses: readonly string[];
  /** Packages that it may import; undefined leaves that to the homes of packages below. */
  readonly packages?: readonly RegExp[];
}

const daemonParts = ['core', 'control', 'execute', 'store', 'notify', 'metrics', 'rpc'];

/** The first that fits a file is its layer. */
const layers: Readonly<Record<string, Layer>> = {
  gen: { paths: ['src/gen/', 'clients/web/gen/'], uses: [] },
  core: { paths: ['src/core/'], uses: [], packages: [/^picomatch$/, /^croner$/] },
  control: {
    paths: ['src/control/'],
    uses: ['core'],
    packages: [/^ulid$/, /^async-mutex$/, /^node-cron$/, /^p-limit$/],
  },
  execute: { paths: ['src/execute/'], uses: ['core', 'lock', 'faults'] },
  store: { paths: ['src/store/'], uses: ['core', 'lock', 'migrations', 'faults'] },
  notify: { paths: ['src/notify/'], uses: ['core'] },
  metrics: { paths: ['src/metrics/'], uses: ['core'] },
  rpc: { paths: ['src/rpc/'], uses: ['core', 'control', 'gen'] },
  config: { paths: ['src/config.ts', 'src/config/'], uses: ['core', 'log'] },
  log: { paths: ['src/log.ts', 'src/log/'], uses: ['core'] },
  faults: { paths: ['src/fault-points.ts'], uses: [] },
  version: { paths: ['src/version.ts'], uses: [] },
  lock: { paths: ['src/process-lock.ts'], uses: [] },
  migrations: { paths: ['migrations/'], uses: ['columns', 'faults'], packages: [/^typeorm$/] },
  columns: { paths: ['src/store/columns.ts'], uses: [] },
  quickstart: { paths: ['clients/quickstart/'], uses: [] },
  clients: { paths: ['clients/'], uses: ['gen'] },
  root: {
    paths: [/^src\/(?:main|daemon(?:-[a-z-]+)?|busyd-[a-z-]+)\.ts$/],
    uses: [...daemonParts, 'config', 'log', 'version', 'gen'],
  },
};

/** Where each of these packages may be imported; all others may be everywhere. */
const packageHomes: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^typeorm$/, ['src/store/', 'migrations/']],
  [/^(better-sqlite3|mysql2)/, ['src/store/']],
  [/^ssh2$/, ['ssh', 'ssh-handshake', 'ssh-identity', 'ssh-login'].map((name) => `src/execute/${name}.ts`)],
  [/^nodemailer/, ['src/notify/mail.ts']],
  [/^node-cron$/, ['src/control/scheduler.ts']],
  [/^(@grpc\/|grpc-health-check$)/, ['src/rpc/', 'src/gen/', 'clients/']],
  [/^prom-client$/, ['src/metrics/']],
  [/^winston/, ['src/log.ts']],
  [
    /^(node:)?child_process$/,
    [
      'src/execute/process.ts',
      'src/execute/executor-pool.ts',
      'src/notify/sendmail.ts',
      'src/log/syslog.ts',
      'clients/quickstart/',
    ],
  ],
];

const clockHomes = ['src/daemon.ts', 'src/main.ts', 'src/execute/executor-main.ts', 'clients/'];
const environmentHomes = [
  /^src\/(?:main|daemon(?:-secrets)?|execute\/(?:executor-main|process))\.ts$/,
  // SSH_AUTH_SOCK, when a host asks for it.
  'src/execute/ssh-login.ts',
  'src/notify/sendmail.ts',
  /^clients\/(?:[^/]+|web\/gateway)\/main\.ts$/,
];

/** Every form that names a module: `import`, `import type`, `export ... from`, `import('...')`, `require('...')`. */
const importPattern =
  /(?:^|[;\n}])\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|[;\n}])\s*import\s*['"]([^'"]+)['"]|\b(?:import|require)\s*\(\s*['"`]([^'"`]+)['"`]/g;

const files = ['src', 'clients', 'migrations'].flatMap(readTree);
const handWritten = files.filter((file) => !/^(?:src|clients\/web)\/gen\//.test(file.path));

function readTree(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|tsx|mts|mjs|js)$/.test(name) && !name.includes('node_modules'))
    .map((name) => readSource(posix.join(folder, name)));
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), 'utf8');
  const code = withoutComments(text);
  const imports = importsOf(path, code);
  return {
    path,
    lines: text.trimEnd().split('\n').length,
    code,
    imports: imports.map((name) => resolve(path, name)),
  };
}

function importsOf(path: string, code: string): string[] {
  const named = [...code.matchAll(importPattern)];
  return named.map(([, from, bare, called]) => resolve(path, from ?? bare ?? called ?? ''));
}

/** Texts stay, since imports stand in them; `//` in a text is none of a comment when a quote or colon is before it. */
function withoutComments(text: string): string {
  return text
    .replace(/^\s*\/\*[\s\S]*?\*\/|\/\*\*[\s\S]*?\*\//gm, '')
    .replace(/(^|[\s;{}(),])\/\/.*$/gm, '$1');
}

function resolve(path: string, name: string): string {
  if (!name.startsWith('.')) return name;
  const file = posix.join(dirname(path), name);
  const component = file.replace(/\.js$/, '.tsx');
  return existsSync(join(root, component)) ? component : file.replace(/\.js$/, '.ts');
}

function isIn(path: string, homes: readonly (string | RegExp)[]): boolean {
  return homes.some((home) => {
    if (home instanceof RegExp) return home.test(path);
    return home.endsWith('/') ? path.startsWith(home) : path === home;
  });
}

function layerOf(path: string): string | null {
  return Object.keys(layers).find((name) => isIn(path, layers[name]?.paths ?? [])) ?? null;
}

function isOwnFile(name: string): boolean {
  return /^(src|clients|migrations)\//.test(name);
}

/** What is wrong with one import, or nothing. */
function judge(file: SourceFile, name: string): string[] {
  const layerName = layerOf(file.path);
  const layer = layers[layerName ?? ''];
  if (!layer || layerName === null) return [`${file.path} belongs to no layer of this test`];
  const says = (allowed: string): string[] => [`${file.path} (${layerName}) imports ${name}: ${allowed}`];
  if (isOwnFile(name)) {
    const target = layerOf(name);
    if (target === layerName || layer.uses.includes(target ?? '')) return [];
    // A table may say how its columns are kept, and no more of the store.
    if (layer.uses.some((use) => isIn(name, layers[use]?.paths ?? []))) return [];
    return says(
      layer.uses.length > 0 ? `it may import ${layer.uses.join(', ')}` : 'it may import nothing of the house',
    );
  }
  if (/^(\.|\/)/.test(name))
    return name.endsWith('package.json') ? [] : says('that is outside of the layers');
  if (layer.packages && !layer.packages.some((allowed) => allowed.test(name))) {
    return says(
      `of packages it may import ${layer.packages.map(({ source }) => source).join(' ') || 'none'}`,
    );
  }
  const home = packageHomes.find(([pattern]) => pattern.test(name))?.[1];
  return home && !isIn(file.path, home) ? says(`only ${home.join(', ')} may`) : [];
}

/** `path:line: text` of every line in which the pattern is found. */
function findIn(pattern: RegExp, homes: readonly (string | RegExp)[]): string[] {
  return handWritten
    .filter((file) => /\.tsx?$/.test(file.path) && !isIn(file.path, homes))
    .filter((file) => pattern.test(file.code))
    .map((file) => `${file.path} has ${pattern.exec(file.code)?.[0]}: only ${homes.join(', ')} may`);
}

/** A chain of imports that comes back to its start, or null. */
function cycleFrom(
  start: string,
  byPath: ReadonlyMap<string, SourceFile>,
  done: Set<string>,
): string[] | null {
  const chain: string[] = [];
  const walk = (path: string): string[] | null => {
    const place = chain.indexOf(path);
    if (place >= 0) return [...chain.slice(place), path];
    if (done.has(path)) return null;
    chain.push(path);
    for (const next of byPath.get(path)?.imports.filter(isOwnFile) ?? []) {
      const cycle = walk(next);
      if (cycle) return cycle;
    }
    chain.pop();
    done.add(path);
    return null;
  };
  return walk(start);
}

function judgeText(path: string, code: string): string[] {
  const file = { path, lines: 1, code, imports: importsOf(path, code) };
  return file.imports.flatMap((name) => judge(file, name));
}

describe('the layers', () => {
  it('import only so: inward', () => {
    const wrong = handWritten.flatMap((file) => file.imports.flatMap((name) => judge(file, name)));
    expect([...new Set(wrong)]).toEqual([]);
  });

  it('name only files that are there', () => {
    const known = new Set(files.map(({ path }) => path));
    const missing = handWritten.flatMap((file) =>
      file.imports
        .filter((name) => isOwnFile(name) && !known.has(name))
        .map((name) => `${file.path}: ${name}`),
    );
    // Generated files are there only after `npm run gen`.
    expect(missing.filter((line) => !/(?:src|web)\/gen\//.test(line) && !line.endsWith('.css'))).toEqual([]);
  });

  it('have no cycles', () => {
    const byPath = new Map(files.map((file) => [file.path, file]));
    const done = new Set<string>();
    const cycles = files.map(({ path }) => cycleFrom(path, byPath, done)).filter((cycle) => cycle !== null);
    expect(cycles.map((cycle) => cycle.join(' -> '))).toEqual([]);
  });
});

describe('the world outside', () => {
  it('has one clock, in the roots', () => {
    expect(findIn(/new Date\(\s*\)|\bDate\.now\(|\bDate\(\)/, clockHomes)).toEqual([]);
  });

  it('gives environment and arguments to the roots alone', () => {
    expect(findIn(/\bprocess\.(?:env|argv)\b/, environmentHomes)).toEqual([]);
  });
});

describe('files', () => {
  const lengths = handWritten.map(({ lines }) => lines).sort((a, b) => a - b);

  it('have at most 300 lines', () => {
    expect(
      handWritten.filter(({ lines }) => lines > 300).map(({ path, lines }) => `${path}: ${lines}`),
    ).toEqual([]);
  });

  it('have about 90 lines in the middle', () => {
    expect(lengths.length).toBeGreaterThan(50);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(95);
  });
});

describe('this test', () => {
  it.each([
    ['src/core/a.ts', `import { x } from 'node:fs';`],
    ['src/core/a.ts', `import type { Run } from '../store/runs.js';`],
    ['src/control/a.ts', `import {\n  x,\n  type y,\n} from '../execute/process.js';`],
    ['src/control/a.ts', `import 'typeorm';`],
    ['src/control/a.ts', `const x = await import('../store/runs.js');`],
    ['src/execute/a.ts', `import { x } from '../store/runs.js';`],
    ['src/execute/a.ts', `import ssh2 from 'ssh2';`],
    ['src/store/a.ts', `export { x } from '../execute/process.js';`],
    ['src/store/a.ts', `export * from '../control/catalog.js';`],
    ['src/notify/a.ts', `import { spawn } from 'node:child_process';`],
    ['src/rpc/a.ts', `import { x } from '../execute/process.js';`],
    ['src/daemon.ts', `import type { Logger } from 'winston';`],
    ['clients/cli/a.ts', `import { x } from '../../src/core/run.js';`],
    ['clients/quickstart/a.ts', `import { x } from '../../src/gen/busy/v1/run.js';`],
    ['migrations/a.ts', `import { x } from '../src/store/runs.js';`],
    ['src/elsewhere/a.ts', `import { x } from '../core/run.js';`],
  ])('sees what is wrong in %s: %s', (path, code) => {
    expect(judgeText(path, code)).toHaveLength(1);
  });

  it.each([
    ['src/core/a.ts', `import picomatch from 'picomatch';\nimport { y } from './run.js';`],
    ['src/control/a.ts', `import { ulid } from 'ulid';\nexport type { Run } from '../core/run.js';`],
    ['migrations/a.ts', `import { Table } from 'typeorm';\nimport { time } from '../src/store/columns.js';`],
    ['src/daemon.ts', `import { x } from './execute/process.js';`],
    ['clients/cli/a.ts', `import { x } from '../../src/gen/busy/v1/run.js';`],
    ['src/execute/process.ts', `import { spawn } from 'node:child_process';`],
  ])('lets pass what is right in %s: %s', (path, code) => {
    expect(judgeText(path, code)).toEqual([]);
  });
});
