/**
 * Places for work that may be slow. One that takes longer than a moment gives its place to the next and goes on beside
 * it, and waits among its like the next time; so a slow one delays no other, and never many begin together.
 */
import pLimit from 'p-limit';

export class StartSlots {
  private readonly quick;
  private readonly slow;
  /** What took long the last time. */
  private readonly slowKeys = new Set<string>();

  constructor(
    places: number,
    private readonly patienceMs: number,
  ) {
    this.quick = pLimit(places);
    this.slow = pLimit(places);
  }

  /** Does a piece of work when there is a place for it; `key` is what it is known by. Throws what `work` throws. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const lane = this.slowKeys.has(key) ? this.slow : this.quick;
    const { result } = await lane(() => this.begin(key, work));
    return result;
  }

  /** Answers the result in a wrap, so that it is not waited for. */
  private async begin<T>(key: string, work: () => Promise<T>): Promise<{ result: Promise<T> }> {
    const result = work();
    let late: NodeJS.Timeout | undefined;
    const ended = result.then(
      () => true,
      () => true,
    );
    const outOfPatience = new Promise<false>((resolve) => {
      late = setTimeout(() => resolve(false), this.patienceMs);
    });
    if (await Promise.race([ended, outOfPatience])) this.slowKeys.delete(key);
    else this.slowKeys.add(key);
    clearTimeout(late);
    return { result };
  }
}
