#!/usr/bin/env node
/**
 * busyd: flags, configuration, start, signals, exit code. Exit codes: 0 stopped or done, 1 could not start or the
 * file is bad, 2 wrong usage.
 */
import { Command, CommanderError } from 'commander';
import { cpus, hostname } from 'node:os';
import { resolve as resolvePath } from 'node:path';
import { checkConfig, convertOriginalConfig } from './busyd-commands.js';
import { ConfigError, readConfig } from './config.js';
import { BusyError } from './core/errors.js';
import { createLog } from './log.js';
import { version } from './version.js';

const defaultConfigFile = '/etc/busy/busy.yaml';

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError && error.code === 'busyd.broken') return 1;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${errorText(error)}\n`);
    return 1;
  }
}

/** Problems of a file stand one in a line, each with its place in front, as editors and compilers know it. */
function errorText(error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof BusyError) return `busyd: ${error.message} ${error.advice}`;
  return `busyd: ${error instanceof Error ? error.message : String(error)}`;
}

function createProgram(): Command {
  const program = new Command('busyd')
    .description('The backup daemon. Runs in the foreground; ends on SIGTERM or SIGINT.')
    .option('--config <file>', 'the configuration', defaultConfigFile)
    .version(version())
    .allowExcessArguments(false)
    .exitOverride();
  const configFile = (): string => program.opts<{ config: string }>().config;
  program.action(() => runDaemon(resolvePath(configFile())));
  program
    .command('check-config')
    .description('print all problems of a configuration, or the settings in effect')
    .argument('[file]', 'the configuration (default: that of --config)')
    .option('-q, --quiet', 'print problems only')
    .action(async (file: string | undefined, { quiet }: { quiet?: true }) => {
      process.stdout.write(await checkConfig(file ?? configFile(), quiet ?? false));
    });
  program
    .command('convert-config')
    .description('print the configuration of the original BUSY (libconfig) as YAML for this one')
    .argument('<file>', 'for example /etc/busy/busy.conf')
    .action(async (file: string) => {
      process.stdout.write(await convertOriginalConfig(file));
    });
  program
    .command('reindex')
    .description('rebuild the records of snapshots in the database from the backup disks; busyd must not run')
    .option('-n, --dry-run', 'only say what would be done')
    .action(async ({ dryRun }: { dryRun?: true }) => {
      const { reindex } = await import('./busyd-reindex.js');
      process.stdout.write(await reindex(configFile(), dryRun ?? false, { now: () => new Date() }));
    });
  program
    .command('audit-verify')
    .description('follow the chain of an audit log: of a state directory, or of one file')
    .argument('<path>', 'for example /var/lib/busy, or a copy of an audit.log')
    .option('--noted <hash>', 'a hash that was noted earlier and must be in it', '')
    .action(async (path: string, { noted }: { noted: string }) => {
      const { verifyAuditFiles } = await import('./busyd-audit.js');
      const { text, isWhole } = await verifyAuditFiles(path, noted);
      process.stdout.write(text);
      if (!isWhole) throw new CommanderError(1, 'busyd.broken', 'the audit log is broken');
    });
  program
    .command('make-cert')
    .description('make a private authority and certificates for TLS; never overwrites a file')
    .option(
      '--host <name>',
      'a name or address by which clients call this server; several times (default: those of this machine)',
      collect,
      [],
    )
    .option('--dir <directory>', 'where the files go', '/var/lib/busy/tls')
    .option('--client <name>', 'also a certificate for this client; several times', collect, [])
    .action(async ({ host: hosts, dir, client: clients }: MakeCertOptions) => {
      const { makeCertificates } = await import('./busyd-make-cert.js');
      const defaultHosts = [hostname(), 'localhost', '127.0.0.1', '::1'];
      const wishes = { directory: resolvePath(dir), hosts, defaultHosts, clients, now: new Date() };
      process.stdout.write(await makeCertificates(wishes));
    });
  return program;
}

interface MakeCertOptions {
  readonly host: readonly string[];
  readonly dir: string;
  readonly client: readonly string[];
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** Settles when the daemon has stopped. The first signal lets running backups end within the grace; the second not. */
async function runDaemon(configFile: string): Promise<void> {
  // Where it was started may be removed or unmounted later; rsync does not work in a directory that is gone.
  process.chdir('/');
  const config = await readConfig(configFile, cpus().length);
  const log = createLog(config.log);
  const giveUp = new AbortController();
  // Before the start: a signal that comes meanwhile must not end the process with its lock and sockets left behind.
  const told = firstSignal(giveUp);
  // Only here, since it takes long to load on a small machine, and no other command needs it.
  const { startDaemon } = await import('./daemon.js');
  // Before the start, since the default action of the signal is to end the process; it is heard after the start.
  let isReloadWanted = false;
  let reload = (): void => void (isReloadWanted = true);
  process.on('SIGHUP', () => reload());
  const daemon = await startDaemon(config, log);
  reload = () => {
    log.info('SIGHUP: reading the configuration again');
    daemon.reload().catch((error: unknown) => {
      log.error('the new configuration is refused, the old one goes on', { error });
    });
  };
  if (isReloadWanted) reload();
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
