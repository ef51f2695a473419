import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DownloadFormat, type DownloadFilesRequest } from '../../../src/gen/busy/v1/download.js';
import { startFakeDaemon, type FakeDaemon } from './fake-daemon.js';
import { cli, type CliOptions, type Result } from './harness.js';
import { sampleSnapshot } from './samples.js';

const start = {
  name: 'hosts',
  format: DownloadFormat.FILE,
  contentType: 'application/octet-stream',
  sizeBytes: 6,
  damagedFileCount: 0,
  damagedPaths: [],
  losses: '',
};

let daemon: FakeDaemon;
let directory: string;
let asked: DownloadFilesRequest[];
/** Whether the daemon goes away after the first bytes. */
let breaksOff: boolean;

beforeEach(async () => {
  asked = [];
  breaksOff = false;
  directory = await mkdtemp(join(tmpdir(), 'busy-download-'));
  daemon = await startFakeDaemon({
    getSnapshot: (_, answer) => answer(null, { snapshot: sampleSnapshot() }),
    downloadFiles: (call) => {
      asked.push(call.request);
      call.write({ start, data: Buffer.alloc(0) });
      call.write({ start: undefined, data: Buffer.from('abc') }, () => {
        if (breaksOff) return daemon.kill();
        call.write({ start: undefined, data: Buffer.from('def') });
        call.end();
      });
    },
  });
});
afterEach(async () => {
  await daemon.close();
  await rm(directory, { recursive: true });
});

function ask(argv: string[], options: CliOptions = {}): Promise<Result> {
  return cli(['download', ...argv], { endpoint: daemon.endpoint, ...options });
}

describe('busy download', () => {
  it('writes what comes to standard output, and nothing else', async () => {
    expect(await ask(['web1', '/etc/hosts'])).toEqual({ exitCode: 0, stdout: 'abcdef', stderr: '' });
    const { host, name } = sampleSnapshot();
    expect(asked).toEqual([
      { host, snapshot: name, paths: ['/etc/hosts'], format: DownloadFormat.UNSPECIFIED },
    ]);
  });

  it('writes nothing to a terminal, and no files as JSON', async () => {
    const refused = await ask(['web1', '/etc/hosts'], { isTerminal: true });
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toContain('Files are not written to a terminal.');
    expect(await ask(['web1', '/etc/hosts', '--json'])).toMatchObject({ exitCode: 2, stdout: '' });
    expect(await ask(['web1', '/etc/hosts', '--format', 'zip'])).toMatchObject({ exitCode: 2, stdout: '' });
    expect(asked).toEqual([]);
  });

  it('gives a file its name only when all of it is there', async () => {
    const file = join(directory, 'got');
    expect(await ask(['web1', '/etc/hosts', '-o', file])).toMatchObject({ exitCode: 0 });
    expect(await readFile(file, 'utf8')).toBe('abcdef');
    breaksOff = true;
    const broken = await ask(['web1', '/etc/hosts', '-o', join(directory, 'broken')]);
    expect(broken.exitCode).toBe(3);
    expect(await readdir(directory)).toEqual(['got']);
  });

  it('says where it cannot write', async () => {
    const { exitCode, stderr } = await ask(['web1', '/etc/hosts', '-o', join(directory, 'no/where')]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('OUTPUT_FAILED');
  });
});
