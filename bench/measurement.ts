/** What one backup took. */
export interface Measurement {
  readonly wallMs: number;
  /** User and system, of all processes on the server's side. */
  readonly cpuMs: number;
}

/** Measures some work; `cpuSoFar` answers a sum that only grows, in milliseconds. */
export async function measure(
  work: () => Promise<void>,
  cpuSoFar: () => Promise<number>,
): Promise<Measurement> {
  const cpuBefore = await cpuSoFar();
  const startedAt = performance.now();
  await work();
  const wallMs = performance.now() - startedAt;
  return { wallMs, cpuMs: (await cpuSoFar()) - cpuBefore };
}
