/**
 * Argument lists for rsync when it restores: the local one is the client and sends, the one at the target receives.
 * What is sent is a list of paths on the standard input, so names may hold any bytes. Pure.
 */
import type { BytePath } from '../core/byte-path.js';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import type { RestoreMode } from '../core/restore.js';
import { connector, escapeWord, reportOptions, withSlash } from './rsync-args.js';

/**
 * Looks change nothing: which of the directories are not there, in place of which of them something else is, or of which
 * directories below the entries.
 */
export type RestoreLook = 'for missing directories' | 'for what is in their place' | 'for obstacles below';

export interface RestoreCall {
  /** The directory of the server that all paths begin at. */
  readonly root: string;
  /** Absolute, at the target. */
  readonly destination: string;
  /** Each with a slash before it. */
  readonly entries: readonly BytePath[];
  /** They land at their own paths, else under their last names. */
  readonly keepsPaths: boolean;
  /** What may be done: all that the mode says, only missing directories, or only a look. */
  readonly work: RestoreMode | RestoreLook | 'directories';
  readonly isDryRun: boolean;
  /** Those of the backups that concern restores too. */
  readonly options: readonly string[];
  /** Of the rsync at the target; empty when unknown. */
  readonly version: string;
  /** Rules of what a mirror does not delete. */
  readonly protect: readonly string[];
  /** In the syntax of rsync; empty: unlimited. */
  readonly bandwidthLimit: string;
}

/** Arguments of the rsync that sends; its standard input takes `listOf`. */
export function sendArguments(call: RestoreCall): string[] {
  return [
    ...call.options,
    ...workOptions(call),
    ...(call.isDryRun ? ['--dry-run'] : []),
    ...(call.keepsPaths ? ['--relative', '--no-implied-dirs'] : ['--no-relative']),
    ...reportOptions,
    '--no-s',
    ...wholeTimes(call),
    ...(call.bandwidthLimit === '' ? [] : [`--bwlimit=${call.bandwidthLimit}`]),
    '--from0',
    '--files-from=-',
    '--blocking-io',
    '-e',
    `/bin/sh -c '${connector}' connector`,
    '--',
    withSlash(call.root),
    `busy:${withSlash(call.destination)}`,
  ];
}

/** Else files of the same size that were written in the same second count as equal. An old rsync has no word for it. */
function wholeTimes({ options, version }: RestoreCall): string[] {
  const isOld = /^([012]\.|3\.0\.|3\.1\.[0-2])/.test(version);
  return isOld || options.some((option) => option.startsWith('--modify-window='))
    ? []
    : ['--modify-window=-1'];
}

/** The paths as rsync reads them. */
export function listOf({ entries }: Pick<RestoreCall, 'entries'>): Buffer {
  return Buffer.from(entries.map((entry) => `${entry}\0`).join(''), 'latin1');
}

/** The words for the rsync that receives, made of those that our own rsync asked for. Throws INTERNAL. */
export function receiveWords(call: RestoreCall, requested: readonly string[]): string[] {
  const [, , ...rest] = requested;
  const options = rest.slice(0, -1);
  const isPlain = options.every((word) => /^[A-Za-z0-9.,=_@%-]+$/.test(word));
  if (!isPlain || options[0] !== '--server' || options[1] === '--sender' || options.at(-1) !== '.') {
    throw new BusyError('INTERNAL', { what: `rsync asked for an unknown command: ${requested.join(' ')}` });
  }
  return [...options, withSlash(call.destination)];
}

/** The command for a host. */
export function receiveCommand(host: Host, call: RestoreCall, requested: readonly string[]): string {
  const words = receiveWords(call, requested);
  return [...host.rsyncPath, ...words.slice(0, -1), escapeWord(words.at(-1) ?? '')].join(' ');
}

/** What of the options of the backups says how files are kept, and how they are sent. What left files out does not. */
export function restoreOptions(rsyncOpts: readonly string[]): string[] {
  return rsyncOpts.flatMap((option) => {
    if (/^-[A-Za-z]/.test(option)) {
      const letters = option.slice(1).replace(/[^arlptgoDHAXSOJWzc]/g, '');
      return letters === '' ? [] : [`-${letters}`];
    }
    return keptOptions.test(option) ? [option] : [];
  });
}

const kept = [
  'archive recursive links perms times group owner devices specials hard-links acls xattrs sparse numeric-ids',
  'compress whole-file checksum super fake-super omit-dir-times omit-link-times',
];
const keptOptions = new RegExp(
  `^--((no-)?(${kept.join(' ').replaceAll(' ', '|')}|[lptgoDHAXSOJWzc])|(compress-level|modify-window)=.*)$`,
);

const modeOptions: Readonly<Record<RestoreMode, readonly string[]>> = {
  'never-overwrite': ['-r', '--ignore-existing'],
  'newer-only': ['-r', '--update'],
  overwrite: ['-r'],
  // Nothing is deleted in what is mounted below.
  mirror: ['-r', '-x', '--delete'],
};

function workOptions({ work, protect }: RestoreCall): readonly string[] {
  switch (work) {
    case 'directories':
      return ['--no-r', '--dirs'];
    case 'for missing directories':
      return ['--no-r', '--dirs', '--dry-run'];
    case 'for what is in their place':
      return ['--no-r', '--dirs', '--dry-run', '--existing'];
    case 'for obstacles below':
      return ['-r', '--dry-run', '--existing', '--include=*/', '--exclude=*'];
    case 'never-overwrite':
    case 'newer-only':
    case 'overwrite':
    case 'mirror':
      return [...modeOptions[work], ...protect.map((rule) => `--filter=${rule}`)];
    default:
      return work satisfies never;
  }
}
