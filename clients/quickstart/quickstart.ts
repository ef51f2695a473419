/**
 * The steps of the quickstart: backs up a directory of this machine twice over a real SSH connection, with a daemon
 * and an sshd of its own, and proves that both snapshots are what the directory is. Changes nothing outside the
 * scratch directory.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { startBusyd, writeConfig } from './busyd.js';
import { compareTrees } from './compare-trees.js';
import { startPrivateSshd } from './private-sshd.js';
import { noteProcess, prepareScratch, socketPath } from './scratch.js';
import { countSharedFiles } from './shared-files.js';
import { openWebPage } from './web-page.js';

export interface QuickstartOptions {
  /** The clone of BUSY; it is built. */
  readonly clone: string;
  readonly scratch: string;
  /** What is backed up. */
  readonly source: string;
  /** Leave daemon and sshd running, and say how to use and how to stop them. */
  readonly isKept: boolean;
  /** Serve the web page at the end, until `signal` is aborted. */
  readonly hasWebPage: boolean;
  readonly signal: AbortSignal;
}

/** Throws with a sentence for the user when a step fails; what was started by then goes on and is noted. */
export async function runQuickstart(options: QuickstartOptions): Promise<void> {
  const { clone, scratch, source, signal } = options;
  const excludes = excludesFor(options);
  const busy = (...words: string[]): Promise<void> =>
    runBusy(join(clone, 'dist/clients/cli/main.js'), socket, words, signal);

  say(`BUSY backs up ${source} of this machine over SSH, twice, and checks the result.`);
  say(`All that it makes is below ${scratch}.`);
  if (await prepareScratch(scratch)) say('(What an earlier quickstart had left running is stopped.)');

  step('1. An sshd with keys of its own, which stands for the host');
  const sshd = await startPrivateSshd({ directory: join(scratch, 'sshd'), isDetached: true });
  await noteProcess(scratch, sshd.pid ?? 0);
  say(`It listens on 127.0.0.1, port ${sshd.port}. Its host key is ${sshd.fingerprint}.`);

  step('2. The daemon');
  const socket = await socketPath(scratch);
  const configFile = await writeConfig({ scratch, socket, sshd, source, excludes });
  say(`$ busyd --config ${shellWord(configFile)}`);
  const busyd = await startBusyd(
    join(clone, 'dist/src/main.js'),
    configFile,
    socket,
    join(scratch, 'busyd.log'),
  );
  await noteProcess(scratch, busyd);
  await busy('info');

  step('3. A full backup: every file is copied');
  await busy('backup', 'localhost', '--type', 'full', '--follow');

  step('4. An incremental backup: unchanged files become links to the full one');
  await busy('backup', 'localhost', '--type', 'incremental', '--follow');

  step('5. What there is now');
  await busy('snapshots', 'localhost');
  await busy('hosts');

  step('6. The proof');
  const [full, incremental] = await snapshotDirectories(join(scratch, 'backups/localhost'), source);
  for (const copy of [full, incremental]) await proveEqual(source, copy, excludes, signal);
  await proveShared(full, incremental);

  step('7. What to do next');
  sayNext(options, { full, socket, pids: [busyd, sshd.pid ?? 0] });
  if (options.hasWebPage) await showPage(options, socket);
}

async function showPage({ clone, scratch, signal }: QuickstartOptions, socket: string): Promise<void> {
  step('8. The web page');
  const program = (path: string): string => join(clone, 'dist/clients', path);
  const page = await openWebPage({
    busy: program('cli/main.js'),
    busyWeb: program('web/gateway/main.js'),
    socket,
  });
  await noteProcess(scratch, page.pid);
  say('Open it (this address logs in as admin, and is good for one day):', '', page.address, '');
  say('Ctrl-C ends it.');
  await page.untilStopped(signal);
}

/** The scratch directory holds the backups themselves; of the clone, what is not source is left out too. */
function excludesFor({ clone, scratch, source }: QuickstartOptions): string[] {
  const below = relative(source, scratch);
  const excludes = below.startsWith('../') ? [] : [`/${escapePattern(below)}`];
  return source === clone ? [...excludes, '/node_modules', '/dist', '/.git'] : excludes;
}

/** rsync takes backslashes as escapes only in a pattern that has one of these. */
function escapePattern(path: string): string {
  return /[*?[]/.test(path) ? path.replace(/[\\*?[\]]/g, '\\$&') : path;
}

/** Runs the command line client in this terminal. Throws when it fails. */
async function runBusy(
  program: string,
  socket: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  say(`$ busy ${words.join(' ')}`);
  signal.throwIfAborted();
  const child = spawn(process.execPath, [program, '--server', `unix:${socket}`, ...words], {
    stdio: 'inherit',
  });
  // A Ctrl-C in the terminal reaches the client by itself; a signal to this process alone does not.
  const end = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', end, { once: true });
  const [code] = (await once(child, 'close')) as [number | null];
  signal.removeEventListener('abort', end);
  signal.throwIfAborted();
  if (code === 5) {
    throw new Error(
      'Some files are missing from the snapshot (see above). Choose a directory that you may read wholly.',
    );
  }
  if (code !== 0)
    throw new Error(
      `busy ${words.join(' ')} failed (see above; the log of the daemon is beside its configuration).`,
    );
}

/** Where the source directory lies in the full and in the incremental snapshot. */
async function snapshotDirectories(
  hostDirectory: string,
  source: string,
): Promise<[full: string, incremental: string]> {
  const names = (await readdir(hostDirectory)).filter((name) => /^\d.*[fi]$/.test(name)).sort();
  const [full, incremental] = names;
  if (names.length !== 2 || !full?.endsWith('f') || !incremental?.endsWith('i')) {
    throw new Error(
      `A full and an incremental snapshot were expected in ${hostDirectory}, but there are: ${names.join(', ')}`,
    );
  }
  const data = (name: string): string => join(hostDirectory, name, 'data', source);
  return [data(full), data(incremental)];
}

async function proveEqual(
  source: string,
  copy: string,
  excludes: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  say(`Comparing every byte and attribute of ${source} with ${copy} ...`);
  signal.throwIfAborted();
  const differences = await compareTrees(source, copy, excludes);
  signal.throwIfAborted();
  if (differences.length === 0) return say('No difference.');
  say(...differences);
  throw new Error(
    `${copy} is not what ${source} is: ${differences.length} differences, as rsync names them (see above). ` +
      'Was something changed there meanwhile? Then choose a directory at rest.',
  );
}

async function proveShared(full: string, incremental: string): Promise<void> {
  const { fileCount, sharedCount, example } = await countSharedFiles(full, incremental);
  say(
    `${sharedCount} of ${fileCount} files of the incremental snapshot share their inode with the full one.`,
  );
  if (example)
    say(
      `For example ${JSON.stringify(example.path)}: inode ${example.inode} in both, with ${example.links} names.`,
    );
  if (sharedCount !== fileCount) {
    throw new Error(
      `${fileCount - sharedCount} unchanged files of ${incremental} were copied instead of linked.`,
    );
  }
}

interface Result {
  readonly full: string;
  readonly socket: string;
  readonly pids: readonly number[];
}

function sayNext({ clone, scratch, isKept }: QuickstartOptions, { full, socket, pids }: Result): void {
  say(
    'The snapshots are plain directories. Look into one, and restore with cp -a:',
    `$ ls -la ${shellWord(full)}`,
    '',
  );
  if (isKept) {
    say('The daemon and the sshd go on. Talk to them:');
    say(
      `$ export BUSY_SERVER=${shellWord(`unix:${socket}`)}`,
      `$ node ${shellWord(join(clone, 'dist/clients/cli/main.js'))} hosts`,
    );
    say('Stop them:', `$ kill ${pids.join(' ')}`, '');
  }
  say(
    'For hosts of your own:',
    `- write /etc/busy/busy.yaml; ${join(scratch, 'busy.yaml')} and config/busy.example.yaml show the way;`,
    '- start busyd, then for each host: $ busy enroll HOST',
    '  (it pins its key, makes one for it alone, and says what to do there). README.md has it all.',
  );
}

/** A word as the user would have to type it. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function step(title: string): void {
  process.stdout.write(`\n${title}\n`);
}

function say(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `   ${line}\n`).join(''));
}
