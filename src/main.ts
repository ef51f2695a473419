#!/usr/bin/env node
/** busyd: flags, configuration, start, signals, exit code. Exit codes: 0 stopped, 1 could not start, 2 wrong usage. */
import { Command, CommanderError } from 'commander';
import { cpus } from 'node:os';
import { readConfig } from './config.js';
import { startDaemon } from './daemon.js';
import { createLog } from './log.js';
import { version } from './version.js';

const defaultConfigFile = '/etc/busy/busy.yaml';

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const program = new Command('busyd')
    .description('The backup daemon. Runs in the foreground; ends on SIGTERM or SIGINT.')
    .option('--config <file>', 'the configuration', defaultConfigFile)
    .version(version())
    .allowExcessArguments(false)
    .exitOverride();
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    throw error;
  }
  try {
    await runDaemon(program.opts<{ config: string }>().config);
    return 0;
  } catch (error) {
    process.stderr.write(`busyd: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/** Settles when the daemon has stopped. The first signal lets running backups end within the grace; the second not. */
async function runDaemon(configFile: string): Promise<void> {
  const config = await readConfig(configFile, cpus().length);
  const log = createLog(config.log);
  const giveUp = new AbortController();
  // Before the start: a signal that comes meanwhile must not end the process with its lock and sockets left behind.
  const told = firstSignal(giveUp);
  const daemon = await startDaemon(config, log);
  const signal = await told;
  log.info('stopping', { signal, graceSeconds: config.stopGraceMs / 1000 });
  const grace = setTimeout(() => giveUp.abort(), config.stopGraceMs);
  await daemon.stop(giveUp.signal);
  clearTimeout(grace);
  log.info('stopped');
}

/** Settles with the name of the first signal that asks the daemon to end; each further one aborts `giveUp`. */
function firstSignal(giveUp: AbortController): Promise<string> {
  return new Promise((resolve) => {
    let isFirst = true;
    const take = (name: string): void => {
      if (isFirst) resolve(name);
      else giveUp.abort();
      isFirst = false;
    };
    process.on('SIGTERM', take);
    process.on('SIGINT', take);
  });
}
