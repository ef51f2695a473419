/**
 * Argument lists for rsync, and the checks of what an rsync on the other side asks for. Pure.
 *
 * Two rules guard the server. Whatever writes (destination, link bases) is only ever taken from our own plan, never
 * from the host. And a word that becomes part of a remote command is either made here or matches a strict pattern.
 */
import { BusyError } from '../core/errors.js';
import { textOf, type BytePath } from '../core/byte-path.js';
import type { Host } from '../core/host.js';

/** What one job copies: a source directory of the host into a directory of the server. */
export interface TransferPlan {
  readonly source: string;
  /** Absolute, without a slash at the end. */
  readonly destination: string;
  /** Absolute directories with the same layout as `destination`. rsync takes at most 20. */
  readonly linkBases: readonly string[];
  /** Those of them that are snapshots. */
  readonly snapshotBases: readonly string[];
  /** Directories below this one that are not copied: other jobs copy them, or they hold the backups themselves. */
  readonly leftOut: readonly string[];
  /** Files and directories below this one of which nothing is copied, not even that they are there. */
  readonly hidden?: readonly string[];
  /** Compare contents instead of size and time; needed when a link base may be damaged. */
  readonly mustCompareContents: boolean;
  /** Only say what would be done; `destination` is an empty directory then. */
  readonly isComparison: boolean;
  /** Look at the uppermost level alone. */
  readonly isShallow?: true;
  /** Patterns of `onlyPatterns`: nothing else is copied, and nothing that is there is touched. */
  readonly only?: readonly string[];
}

/** Our reading of rsync's output depends on these. `--partial`: a cut transfer of a large file is not lost. */
export const reportOptions = [
  '--stats',
  '--info=progress2',
  '--out-format=%i %l %n%L',
  '--no-human-readable',
  '--outbuf=L',
];

/**
 * The connector is the remote shell of rsync. It hands the command that rsync asks for, then both
 * directions of the stream, through file descriptors 3 and 4: to the executor
 * on the server, to the SSH channel on the host. The direction towards rsync is in
 * the foreground, since rsync waits for its remote shell and that must end when the stream ends.
 */
export const connector =
  'printf "%s\\0" "$#" "$@" >&4; exec 5<&0; cat <&5 >&4 & exec 4>&- 5<&-; exec cat <&3';

/** Arguments of the local rsync that pulls (initiator: server). */
export function pullArguments(host: Host, plan: TransferPlan): string[] {
  return [
    ...commonOptions(host, plan),
    '--partial',
    ...comparison(host),
    ...plan.linkBases.map((base) => `--link-dest=${base}`),
    '--blocking-io',
    '-e',
    `/bin/sh -c '${connector}' connector`,
    '--',
    `busy:${withSlash(plan.source)}`,
    withSlash(plan.destination),
  ];
}

/**
 * The command for the host, made from the words that our own rsync asked the connector to run.
 * Throws HOST_MISBEHAVED when they are not what rsync writes (they come from our own process, so this guards
 * against a surprise of a new version, not against the host).
 */
export function pullCommand(host: Host, plan: TransferPlan, requested: readonly string[]): string {
  const [, , ...rest] = requested;
  const options = rest.slice(0, -1);
  const isPlain = options.every((word) => /^[A-Za-z0-9.,=_-]+$/.test(word));
  if (!isPlain || options[0] !== '--server' || options[1] !== '--sender' || options.at(-1) !== '.') {
    throw new BusyError('INTERNAL', { what: `rsync asked for an unknown command: ${requested.join(' ')}` });
  }
  return [...host.rsyncPath, ...options, escapeWord(withSlash(plan.source))].join(' ');
}

/** The command that starts rsync on the host as the sending client (initiator: client). */
export function pushCommand(host: Host, plan: TransferPlan): string {
  const words = [
    ...host.rsyncPath,
    ...commonOptions(host, plan),
    '--blocking-io',
    '-e',
    `/bin/sh -c '${connector}' connector`,
    '--',
    withSlash(plan.source),
    'busy:snapshot/',
  ];
  // rsync's own output goes to the channel's standard error, since its standard output is the transfer.
  return `exec 3<&0 4>&1 1>&2 </dev/null; LC_ALL=C exec ${words.map(quoteWord).join(' ')}`;
}

/**
 * Arguments of the local `rsync --server` for what a host asked the remote connector to run. Of the host's words
 * only the short options are taken, and only letters that say how the stream is written; a destination or any other
 * option that the host names is ignored. Throws HOST_MISBEHAVED.
 */
export function receiveArguments(host: Host, plan: TransferPlan, requested: readonly string[]): string[] {
  const refuse = (detail: string): BusyError => new BusyError('HOST_MISBEHAVED', { host: host.name, detail });
  const [, , server, letters] = requested;
  if (server !== '--server') throw refuse('it did not ask for a receiving rsync');
  if (letters === undefined || !/^-[nvlogDdtprcHAXSxWzUNJOLkmy]*e\d*\.\d*[A-Za-z]*$/.test(letters)) {
    throw refuse('it asked for options of rsync that are not allowed');
  }
  // n is a dry run: of a backup it would leave nothing, and a comparison without it would write. d is the uppermost
  // level alone.
  const asked = letters.slice(0, letters.indexOf('e'));
  if (asked.includes('n') !== plan.isComparison || asked.includes('d') !== (plan.isShallow === true))
    throw refuse('it asked for another kind of transfer than it was told to');
  return [
    '--server',
    letters,
    '--log-format=%i',
    '--partial',
    ...comparison(host),
    ...host.rsyncOpts.flatMap(forReceiver),
    ...(plan.mustCompareContents && !asked.includes('c') ? ['--checksum'] : []),
    ...(plan.only ? ['--ignore-existing'] : []),
    ...plan.linkBases.map((base) => `--link-dest=${base}`),
    '.',
    withSlash(plan.destination),
  ];
}

/**
 * rsync by itself compares times in whole seconds, and takes a file for unchanged that was rewritten with the same
 * size within one second. The side that writes compares, so the host need not know the option.
 */
function comparison(host: Host): string[] {
  return host.rsyncOpts.some((option) => option.startsWith('--modify-window=')) ? [] : ['--modify-window=-1'];
}

/** Long options that the receiving side must know too, by their names. */
const receiverOptions = new Set([
  '--numeric-ids',
  '--fake-super',
  '--super',
  '--omit-link-times',
  '--max-size',
  '--min-size',
  '--modify-window',
  '--usermap',
  '--groupmap',
]);

/** What an option of `rsync_opts` is for the receiving side. Its value was checked with the configuration. */
function forReceiver(option: string): string[] {
  const [name = '', value = ''] = option.split(/=(.*)/s);
  if (receiverOptions.has(name)) return [option];
  if (name !== '--chown') return [];
  // Only a client understands --chown; it tells the other side by maps.
  const [user, group] = value.split(':');
  return [...(user ? [`--usermap=*:${user}`] : []), ...(group ? [`--groupmap=*:${group}`] : [])];
}

function commonOptions(host: Host, plan: TransferPlan): string[] {
  return [
    // The first rule that fits decides, so no --include of the user may undo these.
    ...plan.leftOut.map((below) => excludeNested(plan.source, below)),
    ...(plan.hidden ?? []).map((below) => `--exclude=${anchored(plan.source, below)}`),
    ...(plan.only
      ? ['--ignore-existing', ...plan.only.map((pattern) => `--include=${pattern}`), '--exclude=*']
      : []),
    ...host.rsyncOpts,
    ...reportOptions,
    ...(plan.isComparison ? ['--dry-run'] : []),
    // After the options of the host, so that it wins over their -r.
    ...(plan.isShallow ? ['--no-recursive', '--dirs'] : []),
    // Paths belong into the command line, where a restricted key on the host can check them.
    '--no-s',
    ...(plan.mustCompareContents ? ['--checksum'] : []),
    ...(host.bandwidthLimit ? [`--bwlimit=${host.bandwidthLimit}`] : []),
    ...host.excludes.map((pattern) => `--exclude=${pattern}`),
  ];
}

/** Leaves out everything in `nested`, seen from `source`; the directory itself is kept as a mount point. */
export function excludeNested(source: string, nested: string): string {
  return `--exclude=${anchored(source, nested)}/**`;
}

/** Fits this one path. */
function anchored(source: string, path: string): string {
  return path.slice(source === '/' ? 0 : source.length).replace(/[\\*?[\]]/g, '\\$&');
}

/** A command line for a shell has at most 128 KiB. */
const mostPatternBytes = 48 * 1024;

/**
 * The patterns that make rsync copy certain files and nothing else, in pieces that each fit into a command line.
 * `paths` are bytes and begin with a slash at the source directory. A byte that an argument cannot carry matches any.
 */
export function onlyPatterns(paths: readonly BytePath[]): string[][] {
  const pieces: string[][] = [];
  let piece = new Set<string>();
  let bytes = 0;
  for (const path of paths) {
    const names = path.split('/').slice(1);
    const above = names.slice(0, -1).map((_, index) => `/${names.slice(0, index + 1).join('/')}/`);
    for (const pattern of [...above, path].map(patternOf)) {
      if (!piece.has(pattern)) bytes += pattern.length + 1;
      piece.add(pattern);
    }
    if (bytes < mostPatternBytes) continue;
    pieces.push([...piece]);
    piece = new Set();
    bytes = 0;
  }
  return piece.size > 0 ? [...pieces, [...piece]] : pieces;
}

/** In a pattern without any of these a backslash stands for itself. */
function patternOf(path: BytePath): string {
  const text = textOf(path);
  const isWild = text === null || /[*?[]/.test(text);
  if (!isWild) return text;
  return (text ?? path).replace(/[\\*?[]/g, '\\$&').replace(/[\u0080-\u00ff]/g, text === null ? '?' : '$&');
}

export function withSlash(directory: string): string {
  return directory.endsWith('/') ? directory : `${directory}/`;
}

/** Backslashes, not quotes: the scripts that restrict a key to rsync (rrsync) understand only these. */
export function escapeWord(word: string): string {
  return word.replace(/[^A-Za-z0-9_@%+=:,./\u0080-\uffff-]|\s/g, '\\$&');
}

/** A word for a POSIX shell. */
function quoteWord(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
