import { mkdtemp, open, readFile, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startProcess, type LocalProcess } from '../../src/execute/process.js';

describe('the receiving rsync', () => {
  const stop = new AbortController();
  let directory: string;
  let rsync: LocalProcess;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'busy-confined-'));
    process.env.BUSY_SECRET_OF_THE_DAEMON = 'swordfish';
    const held = await open(join(directory, 'held-by-the-executor'), 'w');
    rsync = startProcess('rsync', ['--server', '-logDtpre.iLsfxCIvu', '.', directory], stop.signal);
    await greeting(rsync);
    await held.close();
  });
  afterEach(async () => {
    stop.abort();
    await rsync.ended;
    delete process.env.BUSY_SECRET_OF_THE_DAEMON;
    await rm(directory, { recursive: true });
  });

  it('has nothing of the executor: neither its environment, nor its files, nor its process group', async () => {
    const proc = `/proc/${String(rsync.pid)}`;
    const environment = (await readFile(`${proc}/environ`, 'utf8')).split('\0').filter((word) => word !== '');
    expect(new Set(environment.map((word) => word.split('=')[0]))).toEqual(new Set(['LC_ALL', 'PATH']));
    const descriptors = await Promise.all(
      (await readdir(`${proc}/fd`)).map((number) => readlink(join(proc, 'fd', number))),
    );
    expect(descriptors.length).toBeGreaterThanOrEqual(5);
    for (const target of descriptors) expect(target).toMatch(/^(pipe|socket):/);
    const afterName = (await readFile(`${proc}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
    expect(Number(afterName[2])).toBe(rsync.pid);
  });
});

/** Waits for its first bytes, when it has long become rsync; it speaks only after it was spoken to. */
async function greeting({ stdin, stdout }: LocalProcess): Promise<void> {
  // Protocol 31, as a little-endian number.
  stdin.write(Buffer.from([31, 0, 0, 0]));
  await new Promise((resolve) => stdout.once('data', resolve));
}
