/** The example of a client in another language, against a real daemon. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../helpers/run-command.js';
import { TestBed } from '../../helpers/test-bed.js';

const program = new URL('../../../clients/python/back_up.py', import.meta.url).pathname;

describe('the example in Python', () => {
  let bed: TestBed;

  beforeAll(async () => {
    bed = await TestBed.create();
    const sshd = await bed.startSshd();
    await mkdir(join(bed.directory, 'source'));
    await writeFile(join(bed.directory, 'source/file'), 'content');
    await bed.configure([bed.hostAt(sshd, { name: 'web1', srcdirs: [join(bed.directory, 'source')] })]);
    await bed.startDaemon();
  });
  afterAll(() => bed.end());

  const backUp = (...words: string[]) =>
    runCommand('/usr/bin/python3', [program, '--server', `unix:${bed.socket}`, ...words]);

  it('backs a host up and prints the whole log of the run', async () => {
    const { code, stdout, stderr } = await backUp('web1', 'full');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const run = await bed.lastRun('web1');
    expect(stdout).toBe(`${await bed.readRunLog(run.id)}SUCCEEDED ${run.snapshot}\n`);
  });

  it('tells the stable reason of a call that is refused', async () => {
    const { code, stderr } = await backUp('nobody');
    expect(code).toBe(1);
    expect(stderr).toBe('HOST_NOT_FOUND: There is no host "nobody".\n');
  });
});
