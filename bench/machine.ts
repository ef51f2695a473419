/** What the figures depend on besides BUSY. */
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { runCommand } from '../test/helpers/run-command.js';

export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  readonly rsync: string;
  readonly ssh: string;
  /** Mean number of running processes in the last minute, before the benchmark began. */
  readonly loadBefore: number;
}

/** Asks the system and the programs. Throws when rsync or ssh is not installed. */
export async function describeMachine(): Promise<Machine> {
  const rsync = await runCommand('rsync', ['--version']);
  const ssh = await runCommand('ssh', ['-V']);
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    kernel: release(),
    node: process.version,
    rsync: /version (\S+)/.exec(rsync.stdout)?.[1] ?? 'unknown',
    ssh: ssh.stderr.split(',')[0]?.trim() ?? 'unknown',
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  };
}

/** One line for people. */
export function formatMachine(machine: Machine): string {
  return (
    `${machine.cores} cores (${machine.processor}), ${machine.memoryGiB} GiB, Linux ${machine.kernel}, ` +
    `Node ${machine.node}, rsync ${machine.rsync}, ${machine.ssh}; load before: ${machine.loadBefore}`
  );
}
