/**
 * The quickstart: backs up a directory of this machine twice over a real SSH connection, with a daemon and an sshd of
 * its own, and proves that both snapshots are what the directory is. Needs no root, no set-up, and changes nothing
 * outside its scratch directory.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startBusyd, writeConfig } from './busyd.js';
import { compareTrees } from './compare-trees.js';
import { startPrivateSshd } from './private-sshd.js';
import { notePid, prepareScratch, socketPath, stopLeftBehind } from './scratch.js';
import { countSharedFiles } from './shared-files.js';

const clone = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
const scratch = join(clone, '.quickstart');
const busydProgram = join(clone, 'dist/src/main.js');
const busyProgram = join(clone, 'dist/clients/cli/main.js');
const usage = 'Usage: npm run quickstart [-- DIRECTORY] [--keep]';

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort());
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = readArguments(args);
  if (options === null) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  let mustStop = false;
  try {
    const source = await sourceDirectory(options.directory);
    mustStop = true;
    await quickstart(source, options.isKept);
    mustStop = !options.isKept;
    return 0;
  } catch (error) {
    if (interrupt.signal.aborted) {
      process.stderr.write('\nInterrupted.\n');
      return 130;
    }
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    if (mustStop && (await stopLeftBehind(scratch))) say('', 'The daemon and the sshd of the quickstart are stopped.');
  }
}
