/**
 * The command line client: arguments in, exit code out. Options and errors that all commands share are handled
 * here; each noun adds its own commands.
 */
import { Command, CommanderError } from 'commander';
import { readServerAddress } from '../server-address.js';
import { addAcknowledgeCommand } from './acknowledge.js';
import { addArchiveCommands } from './archive.js';
import { addAuditCommand } from './audit.js';
import { addBackupCommand } from './backup.js';
import { CliError, toCliError, usageError } from './cli-error.js';
import { Connection } from './connection.js';
import { addDoctorCommand } from './doctor.js';
import { addEnrollCommand } from './enroll.js';
import { exitCodeOfError, exitCodes } from './exit-codes.js';
import { addDeleteCommand } from './delete.js';
import { addDiffCommand } from './diff.js';
import { addDownloadCommand } from './download.js';
import { addDrillCommand } from './drill.js';
import { addExplainCommand } from './explain.js';
import { addFindCommand } from './find.js';
import { helpText } from './help.js';
import { addHistoryCommand } from './history.js';
import { readLogin, wantsTls, type LoginOptions } from './login.js';
import { addHostCommands } from './hosts.js';
import { addInfoCommand } from './info.js';
import { addMetricsCommand } from './metrics.js';
import { addLogsCommand } from './logs.js';
import { addLsCommand } from './ls.js';
import { addMailCommand } from './mail.js';
import { Printer } from './output.js';
import { addPruneCommand } from './prune.js';
import { addReloadCommand } from './reload.js';
import { addRestoreCommand } from './restore.js';
import { addRunCommands } from './runs.js';
import type { Commands, Io, Work } from './session.js';
import { addSpaceCommand } from './space.js';
import { addSnapshotCommands } from './snapshots.js';
import { addTrashCommands } from './trash.js';
import { addTokenCommands } from './tokens.js';
import { addVerifyCommand } from './verify.js';
import { addWatchCommand } from './watch.js';

const defaultServer = 'unix:/run/busy/busyd.sock';

interface GlobalOptions extends LoginOptions {
  readonly server?: string;
  readonly json?: true;
}

/** Runs one command; `argv` begins after the name of the program. Never throws; answers the exit code. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const outputFailed = abortWhenOutputFails(io);
  let exitCode: number = exitCodes.done;
  const program = baseProgram(io);
  const printerOf = (): Printer =>
    new Printer({
      stdout: io.stdout,
      stderr: io.stderr,
      isJson: program.opts<GlobalOptions>().json ?? false,
      isColoured: io.stdout.isTTY === true && (io.env.NO_COLOR ?? '') === '',
    });

  const action =
    <Args extends unknown[]>(work: Work<Args>) =>
    async (...args: Args): Promise<void> => {
      const signal = AbortSignal.any([io.interrupt, outputFailed]);
      const options = program.opts<GlobalOptions>();
      const server = (options.server ?? io.env.BUSY_SERVER) || defaultServer;
      const address = readServerAddress(server, wantsTls(options));
      const { warnings, ...login } = await readLogin(options, io.env);
      for (const warning of warnings) io.stderr.write(`warning: ${warning}\n`);
      const connection = new Connection({ address, login, signal, now: io.now });
      const { now, interrupt, reconnectForMs, ask } = io;
      const session = { connection, printer: printerOf(), now, signal, interrupt, reconnectForMs, ask };
      try {
        exitCode = (await work(session, ...args)) ?? exitCodes.done;
      } finally {
        session.printer.status('');
        connection.close();
      }
    };
  addCommands({ program, action });

  try {
    await program.parseAsync(argv, { from: 'user' });
    await flush(io);
    outputFailed.throwIfAborted();
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    const reported =
      error instanceof CommanderError ? fromCommander(error, program, argv) : toCliError(error);
    if (outputFailed.aborted) return endForOutput(outputFailed.reason, printerOf());
    // An interrupted call has nothing to tell that the user does not know.
    if (io.interrupt.aborted && reported.kind === 'unexpected') return exitCodes.interrupted;
    printerOf().error(reported);
    return exitCodeOfError(reported.kind);
  }
}

function baseProgram(io: Io): Command {
  return new Command('busy')
    .description('Shows and steers backups made by busyd.')
    .version(io.version, '-V, --version', 'print the version')
    .option(
      '--server <endpoint>',
      `unix:PATH, HOST:PORT or tls://HOST:PORT (default: BUSY_SERVER, else ${defaultServer})`,
    )
    .option('--token-file <file>', 'a file with the token to show (default: the token in BUSY_TOKEN)')
    .option('--ca <file>', 'the authority that the certificate of busyd is checked with, in PEM')
    .option('--cert <file>', 'a certificate to show instead of a token, in PEM')
    .option('--key <file>', 'its key, in PEM')
    .option('--json', 'print JSON: one document, or one a line for streams')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // Usage errors are reported like all others, at the end of `run`.
      writeErr: () => undefined,
    })
    .addHelpText(
      'after',
      helpText(['busy hosts', 'busy backup web1 --follow', 'busy runs --state failed --json'], true),
    );
}

function addCommands(commands: Commands): void {
  addHostCommands(commands);
  addEnrollCommand(commands);
  addDoctorCommand(commands);
  addExplainCommand(commands);
  addBackupCommand(commands);
  addRunCommands(commands);
  addLogsCommand(commands);
  addWatchCommand(commands);
  addSnapshotCommands(commands);
  addLsCommand(commands);
  addFindCommand(commands);
  addHistoryCommand(commands);
  addDiffCommand(commands);
  addAcknowledgeCommand(commands);
  addDownloadCommand(commands);
  addDrillCommand(commands);
  addVerifyCommand(commands);
  addArchiveCommands(commands);
  addRestoreCommand(commands);
  addPruneCommand(commands);
  addDeleteCommand(commands);
  addTrashCommands(commands);
  addSpaceCommand(commands);
  addAuditCommand(commands);
  addInfoCommand(commands);
  addMetricsCommand(commands);
  addMailCommand(commands);
  addReloadCommand(commands);
  addTokenCommands(commands);
}

function fromCommander(error: CommanderError, program: Command, argv: readonly string[]): CliError {
  const names = new Set(program.commands.map((command) => command.name()));
  const named = argv.find((argument) => names.has(argument));
  const advice = `See: busy ${named === undefined ? '' : `${named} `}--help`;
  if (error.code === 'commander.help') return usageError('No command was given.', advice);
  const [what = '', ...hints] = error.message.split('\n');
  return usageError(what.replace(/^error: /, ''), [...hints, advice].join(' '));
}

function abortWhenOutputFails(io: Io): AbortSignal {
  const failed = new AbortController();
  io.stdout.on('error', (error) => failed.abort(error));
  // Where errors cannot be told, the exit code still tells.
  io.stderr.on('error', () => undefined);
  return failed.signal;
}

/** A reader that had enough (`busy runs | head`) ends the command and is no error; a full disk is. */
function endForOutput(cause: unknown, printer: Printer): number {
  if (cause instanceof Error && 'code' in cause && cause.code === 'EPIPE') return exitCodes.done;
  const what = cause instanceof Error ? cause.message : String(cause);
  const message = `The output could not be written: ${what}.`;
  const advice = 'Write it where there is room.';
  printer.error(new CliError({ kind: 'refused', reason: 'OUTPUT_FAILED', message, advice, code: 'ABORTED' }));
  return exitCodes.failed;
}

/** Comes back when all was written or writing failed; a failed write reports itself by the error event. */
function flush(io: Io): Promise<void> {
  return new Promise((resolve) => {
    io.stdout.write('', () => resolve());
  });
}
