/** Archive directories may be on disks of the network, which can hang: whoever only looks must hear of it in time. */
import { readdir } from 'node:fs/promises';
import { BusyError } from '../core/errors.js';

/** How long a directory may take to answer at all, and how long a look into it may then take. */
const answerMs = 5000;
const lookMs = 60_000;

export class ArchiveDisks {
  /** Directories that were asked and have not answered: a disk that hangs keeps one thread waiting, not all. */
  private readonly asked = new Map<string, Promise<void>>();

  constructor(
    private readonly ask: (directory: string) => Promise<unknown> = readdir,
    private readonly patience = { answerMs, lookMs },
  ) {}

  /** Throws ARCHIVEDIR_UNUSABLE when the disk does not answer in time, and what `work` throws. */
  async look<T>(archivedir: string, work: () => Promise<T>): Promise<T> {
    const { patience } = this;
    const answer = this.asked.get(archivedir) ?? this.askNow(archivedir);
    await within(patience.answerMs, answer, archivedir);
    return within(patience.lookMs, work(), archivedir);
  }

  /** That it answers is enough: what it says is for `work` to hear. */
  private askNow(archivedir: string): Promise<void> {
    const answer = this.ask(archivedir).then(
      () => void this.asked.delete(archivedir),
      () => void this.asked.delete(archivedir),
    );
    this.asked.set(archivedir, answer);
    return answer;
  }
}

async function within<T>(ms: number, look: Promise<T>, archivedir: string): Promise<T> {
  let late: NodeJS.Timeout | undefined;
  const hanging = new Promise<never>((_, reject) => {
    const detail = `its disk has not answered for ${ms / 1000} seconds`;
    late = setTimeout(() => reject(new BusyError('ARCHIVEDIR_UNUSABLE', { archivedir, detail })), ms);
  });
  return Promise.race([look, hanging]).finally(() => clearTimeout(late));
}
