/** What carries backups steps back, so that the daemon answers while all cores are busy. */
import { existsSync, readFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { describe, expect, it } from 'vitest';
import { startProcess } from '../../src/execute/process.js';

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
});
