/** What `npm pack` makes: all that is needed to run, and no more. It runs from where it was unpacked. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runQuickstart } from '../clients/quickstart/quickstart.js';
import { stopLeftBehind } from '../clients/quickstart/scratch.js';
import { deadLinks } from './helpers/dead-links.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

let directory: string;
let files: string[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'busy-package-'));
  // It is built already.
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
  await run('npm', args, { cwd: root });
  const [tarball = ''] = (await readdir(directory)).filter((name) => /^busy-.*\.tgz$/.test(name));
  await run('tar', ['-xzf', join(directory, tarball), '-C', directory]);
  files = (await readdir(join(directory, 'package'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + '/package/'.length));
}, 120_000);
afterAll(() => rm(directory, { recursive: true }));

it('has what it needs to run, to be set up and to be read', async () => {
  const migrations = (await readdir(join(root, 'migrations'))).map((name) => name.replace('.ts', '.js'));
  const units = (await readdir(join(root, 'config'))).map((name) => `config/${name}`);
  const proto = (await readdir(join(root, 'proto/busy/v1'))).map((name) => `proto/busy/v1/${name}`);
  const docs = (await readdir(join(root, 'docs'))).filter((name) => /\.(md|svg)$/.test(name));
  const pictures = await readdir(join(root, 'docs/pictures'));
  const needed = [
    'package.json',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
    'SECURITY.md',
    'dist/src/main.js',
    'dist/src/execute/executor-main.js',
    'dist/src/gen/busy.binpb',
    'dist/clients/cli/main.js',
    'dist/clients/web/gateway/main.js',
    'dist/clients/web/page/index.html',
    ...migrations.map((name) => `dist/migrations/${name}`),
    ...docs.map((name) => `docs/${name}`),
    ...pictures.map((name) => `docs/pictures/${name}`),
    ...units,
    ...proto,
  ];
  expect(files).toEqual(expect.arrayContaining(needed));
});

it('has nothing else: no sources, tests, maps or tools', () => {
  const allowed =
    /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|config\/[^/]+|docs\/[^/]+\.(md|svg)|docs\/pictures\/[^/]+\.png|bench\/README\.md|clients\/python\/[^/]+\.py|proto\/.+\.proto|dist\/(src|migrations|clients(\/(cli|web))?)\/.+\.(js|binpb|html|css|svg|png|ico|woff2|webmanifest))$/;
  expect(files.filter((name) => !allowed.test(name))).toEqual([]);
  expect(files.filter((name) => /(^|\/)(test|quickstart|released)\//.test(name))).toEqual([]);
});

it('has documents of which every link leads to something in it', async () => {
  const documents = files.filter((name) => name.endsWith('.md'));
  expect(documents).toContain('README.md');
  expect(await deadLinks(join(directory, 'package'), documents)).toEqual([]);
});

it('backs up from where it was unpacked, with nothing but its own dependencies', async () => {
  const installed = join(directory, 'package');
  const { dependencies } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    const link = join(installed, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(root, 'node_modules', name), link);
  }
  const scratch = join(directory, 'scratch');
  const signal = new AbortController().signal;
  try {
    await runQuickstart({
      clone: installed,
      scratch,
      source: join(installed, 'config'),
      isKept: false,
      hasWebPage: false,
      signal,
    });
  } finally {
    await stopLeftBehind(scratch);
  }
  expect(existsSync(join(scratch, 'backups/localhost'))).toBe(true);
  const { stdout } = await run(process.execPath, [
    join(installed, 'dist/clients/web/gateway/main.js'),
    '--help',
  ]);
  expect(stdout).toContain('busy-web');
}, 120_000);
