/**
 * `npm run try-package`: packs BUSY, installs the package as a user would (into a temporary prefix, with an empty npm
 * cache), and lets what was installed back up a directory of this machine twice, over a private sshd, and serve the page.
 * Nothing outside of a temporary directory is changed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const clone = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'busy-package-'));
const prefix = join(scratch, 'prefix');

try {
  run('npm', ['pack', '--pack-destination', scratch]);
  const tarball = readdirSync(scratch).find((name) => /^busy-.*\.tgz$/.test(name)) ?? 'busy-*.tgz';
  const cache = ['--cache', join(scratch, 'cache')];
  run('npm', ['install', '--global', '--prefix', prefix, ...cache, join(scratch, tarball)]);
  for (const program of ['busyd', 'busy', 'busy-web']) run(join(prefix, 'bin', program), ['--help']);
  await backUp(join(prefix, 'lib/node_modules/busy-backup'));
  await loadPage();
  process.stdout.write('\nThe package installs and runs.\n');
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function run(program, args) {
  process.stdout.write(`$ ${[program, ...args].join(' ')}\n`);
  const { status, error } = spawnSync(program, args, { cwd: clone, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ended with code ${status}.`);
}

/** The steps of the quickstart, which are not in the package, with the programs of the package. */
async function backUp(installed) {
  const { runQuickstart } = await import('../dist/clients/quickstart/quickstart.js');
  const { stopLeftBehind } = await import('../dist/clients/quickstart/scratch.js');
  const options = { clone: installed, scratch: join(scratch, 'quickstart'), source: join(clone, 'proto') };
  try {
    await runQuickstart({ ...options, isKept: false, signal: new AbortController().signal });
  } finally {
    await stopLeftBehind(options.scratch);
  }
}

/** The page is there without a daemon; logging in is not. */
async function loadPage() {
  const web = spawn(join(prefix, 'bin/busy-web'), ['--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(web, 'exit');
  try {
    const [line] = await once(createInterface(web.stdout), 'line');
    const address = /http:\S+/.exec(line)?.[0] ?? '';
    const answer = await fetch(address);
    if (answer.status !== 200 || !(await answer.text()).includes('<script type="module"'))
      throw new Error(`${address} is not the page: ${answer.status}`);
    process.stdout.write(`The page is served at ${address}\n`);
  } finally {
    web.kill();
    await ended;
  }
}
