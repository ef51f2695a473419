import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { startFakeDaemon, type FakeDaemon } from './fake-daemon.js';
import { runId, sampleRun } from './samples.js';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

const main = fileURLToPath(new URL('../../../clients/cli/main.ts', import.meta.url));

function start(argv: string[]): ChildProcessWithoutNullStreams {
  const env = { ...process.env, BUSY_SERVER: daemon?.endpoint ?? '' };
  return spawn(process.execPath, ['--import', 'tsx', main, ...argv], { env });
}

test('the program prints the version of the package', async () => {
  const child = start(['--version']);
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  expect(text.toString()).toBe(`${version}\n`);
});

test('a reader that goes away ends the program quietly with 0', async () => {
  const many = Array.from({ length: 1000 }, (_, index) => `line ${index} ${'x'.repeat(100)}`);
  daemon = await startFakeDaemon({
    getRun: (_call, answer) => answer(null, { run: sampleRun() }),
    // A log without an end: only the closed pipe can end the program.
    streamLogs: (call) => {
      let offset = 0;
      const more = (): void => {
        while (!call.cancelled) {
          offset += 1;
          if (!call.write({ offset, lines: many, nextOffset: offset + 1 })) return;
        }
      };
      call.on('drain', more);
      more();
    },
  });
  const child = start(['logs', runId, '--follow']);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [exitCode] = (await once(child, 'close')) as [number];
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
});

test('SIGINT while the connection is lost ends a follow with 130', async () => {
  daemon = await startFakeDaemon({
    getRun: (_call, answer) => answer(null, { run: sampleRun() }),
    streamLogs: (call) => call.write({ offset: 0, lines: ['one'], nextOffset: 4 }),
  });
  const child = start(['logs', runId, '--follow']);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    if (chunk.includes('trying again')) child.kill('SIGINT');
  });
  await once(child.stdout, 'data');
  daemon.kill();
  const [exitCode] = (await once(child, 'close')) as [number];
  expect(stderr).toContain('goes on');
  expect(exitCode).toBe(130);
});
