import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

/** What must not be opened, and notices when it was. */
export interface Touchy {
  /** To be asked once, in the end. */
  wasOpened(): Promise<boolean>;
}

/** A pipe whose writer waits until somebody has opened the other side, were it for a moment. */
export async function placeTouchy(path: string): Promise<Touchy> {
  execFileSync('mkfifo', [path]);
  const writer = spawn('sh', ['-c', 'echo here; : >"$0"', path]);
  const ended = once(writer, 'exit');
  await once(writer.stdout, 'data');
  return {
    async wasOpened() {
      // A writer that was let go on has ended by the time that another program has run.
      execFileSync('sh', ['-c', 'ls / >/dev/null']);
      writer.kill('SIGKILL');
      const [code] = (await ended) as [number | null];
      return code !== null;
    },
  };
}
