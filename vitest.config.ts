import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Real daemons, real rsync: what waits for a condition gives up by itself, long before this.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // One more than the processors of CI: many wait for a process or a clock.
    maxWorkers: 3,
  },
});
