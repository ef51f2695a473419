/** The file that a download is written to: under a temporary name until all of it is there. */
import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CliError } from './cli-error.js';

export interface DownloadFile {
  /** Throws OUTPUT_FAILED. */
  write(data: Uint8Array): Promise<void>;
  /** Flushes it, gives it its name and answers that. Throws OUTPUT_FAILED. */
  finish(): Promise<string>;
  /** Removes what was not finished. Never throws. */
  close(): Promise<void>;
}

/** `output` may be a directory, which gets a file of this `name`. Only its owner may read it. Throws OUTPUT_FAILED. */
export async function openDownloadFile(output: string, name: string): Promise<DownloadFile> {
  const isDirectory = await stat(output).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  const path = isDirectory ? join(output, name) : output;
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.part`);
  const file: FileHandle = await orFailed(path, () => open(temporary, 'wx', 0o600));
  let isOpen = true;
  let isFinished = false;
  const closeFile = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await file.close();
  };
  return {
    write: (data) => orFailed(path, () => file.writeFile(data)),
    finish: () =>
      orFailed(path, async () => {
        await file.sync();
        await closeFile();
        await rename(temporary, path);
        isFinished = true;
        return path;
      }),
    close: async () => {
      await closeFile().catch(() => undefined);
      if (!isFinished) await rm(temporary, { force: true }).catch(() => undefined);
    },
  };
}

async function orFailed<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    const message = `"${path}" could not be written: ${what}.`;
    const advice = 'Write it where there is room, and where you may write.';
    throw new CliError(
      { kind: 'refused', reason: 'OUTPUT_FAILED', message, advice, code: 'ABORTED' },
      { cause: error },
    );
  }
}
