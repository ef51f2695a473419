import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeEnd, limitAfter, limitBefore, type TimeLimit } from '../../src/execute/command-end.js';
import { CommandOutput } from '../../src/execute/command-output.js';
import { callScript, findScript } from '../../src/execute/server-script.js';
import { recordedPid } from '../helpers/run-processes.js';
import { isAlive, until } from '../helpers/test-bed.js';

describe('a script of the administrator', () => {
  let directory: string;
  beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), 'busy-script-'))));
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('gets its arguments as they are, a small environment, and nothing to read', async () => {
    const file = await script(`#!/bin/sh
printf '%s|' "$#" "$@"; echo
env | sed 's/=.*//' | sort | tr '\\n' ' '; echo
echo "$BUSY_HOST at $(pwd)"
cat
`);
    const { lines, end } = await call(file, { args: ['full', 'a b', '$(id); "x"', ''] });
    expect(lines[0]).toBe('test: 4|full|a b|$(id); "x"||');
    // What a shell adds by itself does not matter.
    expect(lines[1]?.replace(/ (OLDPWD|PWD|SHLVL|_)\b/g, '')).toMatch(/^test: BUSY_HOST HOME (LANG )?PATH $/);
    expect(lines[2]).toBe('test: web1 at /');
    expect(end).toBe('ended with code 0');
  });

  it('is called with /bin/sh when it names no interpreter', async () => {
    const { lines, end } = await call(await script('echo "$1 by $0"\nexit 3\n'), { args: ['x y'] });
    expect(lines).toEqual([expect.stringMatching(/^test: x y by .*\/script-/)]);
    expect(end).toBe('ended with code 3');
  });

  it('may be a program', async () => {
    expect(await call('/bin/false', { args: [] })).toEqual({ lines: [], end: 'ended with code 1', last: '' });
  });

  it('is told apart from one that is not there or not executable', async () => {
    const plain = await script('exit 0\n');
    await chmod(plain, 0o644);
    await mkdir(join(directory, 'folder'));
    expect(await findScript(join(directory, 'none'))).toBe('absent');
    expect(await findScript(join(plain, 'below-a-file'))).toBe('absent');
    expect(await findScript(plain)).toEqual({ why: 'it is not executable' });
    expect(await findScript(join(directory, 'folder'))).toEqual({ why: 'it is not a file' });
    await chmod(plain, 0o755);
    expect(await findScript(plain)).toBe('callable');
  });

  it('says why it could not be started', async () => {
    const { end } = await call(await script('#!/no/such/interpreter -x\nexit 0\n'));
    expect(end).toBe(
      'could not be started (its first line "#!/no/such/interpreter -x" names a program that is not there)',
    );
    // As an editor on Windows saves it.
    const windows = await call(await script('#!/bin/sh\r\nexit 0\r\n'));
    expect(windows.end).toContain('its first line "#!/bin/sh\\r" names a program that is not there');
    const gone = await call(join(directory, 'gone'));
    expect(gone.end).toMatch(/^could not be started \(spawn .*gone ENOENT\)$/);
  });

  it('is ended with its children when it takes too long', async () => {
    const pids = join(directory, 'pids');
    const file = await script(`#!/bin/sh
trap '' TERM
sh -c 'trap "" TERM; echo $$ >> ${pids}; while :; do sleep 1000; done' > /dev/null 2>&1 &
echo $$ >> ${pids}
echo waiting
while :; do sleep 1000; done
`);
    const limit = limitAfter(300, new AbortController().signal);
    expect(await call(file, { limit, timeoutMs: 300 })).toEqual({
      lines: ['test: waiting'],
      end: 'took longer than 0.3 seconds (scripts.timeout) and was ended',
      last: 'waiting',
    });
    const members = (await readFile(pids, 'utf8')).trim().split('\n').map(Number);
    expect(members).toHaveLength(2);
    await until(() => !members.some(isAlive), 'the script and its child to end');
  });

  it('is ended when the run is cancelled, and called in vain when it was cancelled before', async () => {
    const cancel = new AbortController();
    const file = await script('#!/bin/sh\necho begun\nexec sleep 1000\n');
    const limit = limitBefore(600_000, cancel.signal);
    const { end } = await call(file, { limit, onLine: () => cancel.abort() });
    expect(end).toBe('was ended early');
    expect((await call(file, { limit: limitBefore(600_000, cancel.signal) })).end).toBe('was ended early');
  });

  it('keeps nobody waiting for what it leaves in the background', async () => {
    const pid = join(directory, 'background-pid');
    const file = await script(`#!/bin/sh\nsleep 1000 &\necho $! > ${pid}\necho done\n`);
    const { lines, end } = await call(file);
    expect({ lines, end }).toEqual({ lines: ['test: done'], end: 'ended with code 0' });
    const background = await recordedPid(pid);
    // It may be a service that the script has started again.
    expect(isAlive(background)).toBe(true);
    process.kill(background, 'SIGKILL');
  });

  it('keeps nobody waiting when its background leaves its process group', async () => {
    const pid = join(directory, 'session-pid');
    const file = await script(
      `#!/bin/sh\nsetsid sh -c 'echo $$ > ${pid}; exec sleep 1000' &\nuntil test -s ${pid}; do :; done\nexit 4\n`,
    );
    expect((await call(file)).end).toBe('ended with code 4');
    process.kill(await recordedPid(pid), 'SIGKILL');
  });

  it('fills neither the memory nor the log when it writes without end', async () => {
    const cancel = new AbortController();
    const file = await script('#!/bin/sh\nyes "endless words" &\nyes >&2\n');
    const onLine = (line: string): void => {
      if (line.endsWith('left out')) cancel.abort();
    };
    const { lines, last } = await call(file, { limit: limitBefore(600_000, cancel.signal), onLine });
    expect(lines.slice(1000)).toEqual(['test: … further lines are left out']);
    expect(last).toMatch(/^(endless words|y)$/);
  });

  it('may write one endless line, and any bytes', async () => {
    const file = await script(
      `#!/bin/sh\nprintf 'gr\\303\\274n \\033[31m\\n'; head -c 3000000 /dev/zero | tr '\\0' x; printf '\\nlast'\n`,
    );
    const { lines, last } = await call(file);
    expect(lines[0]).toBe('test: grün \u001b[31m');
    expect(lines.join('').length).toBeLessThan(400_000);
    expect(last).toBe('last');
  });

  let count = 0;
  async function script(text: string): Promise<string> {
    const file = join(directory, `script-${++count}`);
    await writeFile(file, text, { mode: 0o755 });
    return file;
  }
});

interface CallOptions {
  readonly args?: readonly string[];
  readonly limit?: TimeLimit;
  readonly timeoutMs?: number;
  readonly onLine?: (line: string) => void;
}

async function call(
  file: string,
  { args = [], limit, timeoutMs = 600_000, onLine }: CallOptions = {},
): Promise<{ lines: string[]; end: string; last: string }> {
  const lines: string[] = [];
  const output = new CommandOutput('test', (line) => {
    lines.push(line);
    onLine?.(line);
  });
  const variables = { BUSY_HOST: 'web1' };
  const bound = limit ?? limitBefore(timeoutMs, new AbortController().signal);
  const end = await callScript({ file, args, variables }, output, bound);
  return { lines, end: describeEnd(end, timeoutMs, 'scripts.timeout'), last: output.lastLine() };
}
