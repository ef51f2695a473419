/** What carries backups steps back, so that the daemon answers while all cores are busy. */
import { existsSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { describe, expect, it } from 'vitest';
import { outcomeOfProcess, startProcess } from '../../src/execute/process.js';

describe('a process that was started', () => {
  it('steps back with its session, where the kernel shares between sessions', async () => {
    setPriority(Math.max(3, getPriority()));
    const stop = new AbortController();
    const cat = startProcess('cat', [], stop.signal);
    try {
      const file = `/proc/${cat.pid ?? 0}/autogroup`;
      const said = existsSync(file) ? readFileSync(file, 'utf8') : `/autogroup-0 nice ${getPriority()}\n`;
      expect(said).toContain(` nice ${getPriority()}\n`);
    } finally {
      stop.abort();
      await cat.ended;
    }
  });

  it('does not for a short helper: the kernel lets who is not root do so ten times a second', async () => {
    setPriority(Math.max(3, getPriority()));
    const { signal } = new AbortController();
    const { out } = await outcomeOfProcess('cat', ['/proc/self/autogroup'], signal);
    // Nothing where the kernel shares otherwise.
    expect(out).toMatch(/^(\/autogroup-\d+ nice 0\n)?$/);
  });
});
