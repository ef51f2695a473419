/** A process without a file descriptor left cannot start programs, and must live on to say so. */
import { expect, it } from 'vitest';
import { runCommand } from '../helpers/run-command.js';

const root = new URL('../../dist/src/', import.meta.url).href;
const mostOpen = 60;

/** Uses up the descriptors, then tries, and tells what was thrown. */
function attempt(work: string): string {
  return `
    import { openSync } from 'node:fs';
    import { startProcess, startScript } from '${root}execute/process.js';
    import { handToSendmail } from '${root}notify/sendmail.js';
    const { signal } = new AbortController();
    try { for (;;) openSync('/dev/null', 'r'); } catch {}
    try { await ${work}; } catch ({ code, syscall }) { console.log(code, syscall); }
    setTimeout(() => console.log('lives on'), 50);
  `;
}

it.each([
  ['a program', `startProcess('true', [], signal).ended`],
  ['a script', `startScript('true', [], { variables: {}, directory: '/' }, signal).ended`],
  ['sendmail', `handToSendmail('true', { from: 'a', to: 'b' }, Buffer.of(), signal)`],
])('%s', async (_, work) => {
  const words = ['-c', `ulimit -n ${mostOpen}; exec "$@"`, 'sh', process.execPath, '--input-type=module'];
  const { code, stdout, stderr } = await runCommand('sh', [...words, '-e', attempt(work)]);
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'EMFILE spawn true\nlives on\n', stderr: '' });
});
