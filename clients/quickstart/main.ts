/** `npm run quickstart [-- DIRECTORY] [--keep] [--web]`. Exit codes: 0 proved, 1 failed, 2 wrong usage, 130 interrupted. */
import { realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runQuickstart } from './quickstart.js';
import { stopLeftBehind } from './scratch.js';

const usage = 'Usage: npm run quickstart -- [DIRECTORY] [--keep] [--web]';
const clone = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
const scratch = join(clone, '.quickstart');

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupt.abort());
process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const options = readArguments(words);
  if (options === null) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  let isKept = false;
  try {
    const source = options.directory === null ? clone : await checkedDirectory(options.directory);
    const { signal } = interrupt;
    ({ isKept } = options);
    await runQuickstart({ clone, scratch, source, isKept, hasWebPage: options.hasWebPage, signal });
    return 0;
  } catch (error) {
    isKept = false;
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(interrupt.signal.aborted ? '\nInterrupted.\n' : `\n${message}\n`);
    return interrupt.signal.aborted ? 130 : 1;
  } finally {
    if (!isKept && (await stopLeftBehind(scratch)))
      process.stdout.write('\nThe daemon and the sshd are stopped.\n');
  }
}

interface Options {
  readonly directory: string | null;
  readonly isKept: boolean;
  readonly hasWebPage: boolean;
}

function readArguments(words: readonly string[]): Options | null {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options: { keep: { type: 'boolean', default: false }, web: { type: 'boolean', default: false } },
      allowPositionals: true,
    });
    if (positionals.length > 1) return null;
    return { directory: positionals[0] ?? null, isKept: values.keep, hasWebPage: values.web };
  } catch {
    return null;
  }
}

/** Absolute and without symlinks, as the snapshot will name it. Relative to where the user called npm. */
async function checkedDirectory(directory: string): Promise<string> {
  const path = resolve(process.env.INIT_CWD ?? '.', directory);
  const stats = await stat(path).catch(() => null);
  if (!stats?.isDirectory()) throw new Error(`${path} is not a directory. ${usage}`);
  const real = await realpath(path);
  if (`${real}/`.startsWith(`${scratch}/`))
    throw new Error(`${real} is where the quickstart works. Choose another directory.`);
  return real;
}
