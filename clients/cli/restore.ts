/** The command `restore`: brings files of a snapshot back. */
import { Option } from 'commander';
import { Run } from '../../src/gen/busy/v1/run.js';
import { RestoreMode, type RestoreTarget } from '../../src/gen/busy/v1/restore.js';
import { RestoreResponse, SnapshotServiceService } from '../../src/gen/busy/v1/snapshot_service.js';
import { usageError } from './cli-error.js';
import { followRun } from './follow.js';
import { helpText } from './help.js';
import type { Commands, Session } from './session.js';
import {
  addAsOfOption,
  readSnapshotWord,
  resolveSnapshot,
  snapshotWordHelp,
  type AsOfOption,
} from './snapshot-word.js';
import { runStateCell } from './states.js';

export function addRestoreCommand({ program, action }: Commands): void {
  const command = program
    .command('restore')
    .description('bring files of a snapshot back: to their host, to another place, or to this server')
    .argument('<snapshot>', snapshotWordHelp)
    .argument('<path...>', 'files and directories as they were called on the host; / for all')
    .option('--to <host:directory>', 'below a directory of a configured host, as cp -a would put them')
    .option('--to-original', 'each to its own place on its host')
    .option('--to-local <directory>', 'below a directory of the server')
    .addOption(
      new Option('--mode <mode>', 'what becomes of what is there: see below')
        .choices(Object.keys(modes))
        .default('never-overwrite'),
    )
    .option('-n, --dry-run', 'change nothing, only list what would be done')
    .option('-y, --yes', 'do not ask')
    .option('--confirm <target>', 'with --mode mirror: the target again, instead of typing it')
    .option('--follow', 'show log and progress until the run has ended')
    .option('--request-id <id>', 'the same id answers the same run again');
  addAsOfOption(command)
    .addHelpText('after', `\n${modesHelp}`)
    .addHelpText(
      'after',
      helpText(
        [
          'busy restore web1 /etc/nginx --to web1:/root/restored --follow',
          'busy restore web1/2026-11-22_20-00-05f /home/ann/thesis --to-original --mode overwrite --dry-run',
          'busy restore web1 /home --to-local /srv/restored --as-of "2026-11-01 12:00"',
        ],
        true,
      ),
    )
    .action(action(restore));
}

interface RestoreOptions extends AsOfOption {
  readonly to?: string;
  readonly toOriginal?: true;
  readonly toLocal?: string;
  readonly mode: keyof typeof modes;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly confirm?: string;
  readonly follow?: true;
  readonly requestId?: string;
}

const modes = {
  'never-overwrite': RestoreMode.NEVER_OVERWRITE,
  'newer-only': RestoreMode.NEWER_ONLY,
  overwrite: RestoreMode.OVERWRITE,
  mirror: RestoreMode.MIRROR,
} as const;

const modesHelp = `Modes:
  never-overwrite  what is there stays (the default)
  newer-only       files that are newer than in the snapshot stay
  overwrite        what differs is replaced
  mirror           and what the snapshot does not have is deleted, below the restored directories`;

async function restore(
  session: Session,
  word: string,
  paths: readonly string[],
  options: RestoreOptions,
): Promise<number | void> {
  const { connection, printer } = session;
  const target = readTarget(options);
  const named = readSnapshotWord(word);
  // One that is named may be archived by now.
  const isNamed = named.name !== '' && options.asOf === undefined;
  const { host, name } = isNamed ? named : await resolveSnapshot(connection, named, options);
  const { dryRun = false, mode } = options;
  const place = wordOf(target, host);
  const confirm = dryRun ? '' : await confirmed(session, { ...options, place, paths, host, name });
  const answer = await connection.call(SnapshotServiceService.restore, {
    requestId: options.requestId ?? '',
    host,
    snapshot: name,
    paths: [...paths],
    target,
    mode: modes[mode],
    dryRun,
    confirm,
  });
  const run = answer.run ?? Run.create();
  // A dry run is asked for to be read.
  if (options.follow === true || dryRun) return followRun(session, run);
  if (printer.isJson) return printer.json(RestoreResponse.toJSON(answer));
  printer.line(`Run ${run.id} of ${run.host} is `, runStateCell(run.state));
  printer.line(`  Follow it with: busy logs ${run.id} --follow`);
}

function readTarget({ to, toOriginal, toLocal }: RestoreOptions): RestoreTarget {
  const given = [to, toOriginal, toLocal].filter((one) => one !== undefined);
  const example = 'Give one of --to HOST:DIRECTORY, --to-original and --to-local DIRECTORY.';
  if (given.length !== 1) throw usageError('It must be said where to, and once.', example);
  if (toLocal !== undefined) return { place: { $case: 'serverDirectory', value: toLocal } };
  if (to === undefined) return { place: { $case: 'original', value: {} } };
  const [, host = '', directory = ''] = /^([^:/]+):(\/.*)$/s.exec(to) ?? [];
  if (host === '') throw usageError(`${JSON.stringify(to)} is no HOST:DIRECTORY.`, example);
  return { place: { $case: 'hostDirectory', value: { host, directory } } };
}

/** As the daemon names the target; it is what confirms a mirror. */
function wordOf({ place }: RestoreTarget, host: string): string {
  if (place?.$case === 'serverDirectory') return place.value.replace(/(.)\/+$/, '$1');
  if (place?.$case === 'hostDirectory')
    return `${place.value.host}:${place.value.directory.replace(/(.)\/+$/, '$1')}`;
  return `${host}:/`;
}

interface Asked extends RestoreOptions {
  readonly place: string;
  readonly paths: readonly string[];
  readonly host: string;
  readonly name: string;
}

/** What may replace or delete something is asked for. Throws a usage error when it is not wanted, or nobody can be asked. */
async function confirmed({ ask }: Session, asked: Asked): Promise<string> {
  const { mode, yes, confirm, place, paths, host, name } = asked;
  if (mode === 'never-overwrite' || (mode !== 'mirror' && yes === true)) return '';
  if (mode === 'mirror' && confirm !== undefined) return confirm;
  const doubt =
    mode === 'mirror'
      ? `This deletes below ${place} what ${host}/${name} does not have. Type ${place} to go on: `
      : `This replaces ${paths.join(' ')} at ${place} by what ${host}/${name} has. Type yes to go on: `;
  const wanted = mode === 'mirror' ? place : 'yes';
  const advice =
    mode === 'mirror'
      ? `Look first with --dry-run, then add: --confirm ${place}`
      : 'Look first with --dry-run, then add: --yes';
  if (ask === null) throw usageError('Nobody is there to be asked.', advice);
  if ((await ask(doubt)).trim() !== wanted) throw usageError('Nothing was restored.', advice);
  return mode === 'mirror' ? place : '';
}
