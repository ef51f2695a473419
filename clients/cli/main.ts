#!/usr/bin/env node
/** The program `busy`: the only file that knows the real process. */
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { run } from './run.js';

const interrupt = new AbortController();
// Once: a second Ctrl-C ends the process the hard way.
process.once('SIGINT', () => interrupt.abort());

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  interrupt: interrupt.signal,
  now: () => new Date(),
  version: readVersion(new URL('.', import.meta.url)),
  reconnectForMs: 60_000,
  ask: process.stdin.isTTY ? ask : null,
});

/** On standard error, since standard output may be a file. */
async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question, { signal: interrupt.signal });
  } finally {
    terminal.close();
  }
}

/** The sources and what is built of them lie at different depths below package.json. */
function readVersion(directory: URL): string {
  const file = fileURLToPath(new URL('package.json', directory));
  if (!existsSync(file)) return readVersion(new URL('..', directory));
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return version;
}
