/**
 * Confines the rsync that talks to a host, which may be hostile and know a hole in rsync: by bubblewrap, where it works,
 * it sees the programs it needs and the directory of its host, and nothing else of the server: no other backups, no
 * keys, no database, no network. The result of a backup is the same with and without.
 *
 * Links are only possible within one mount, so the directory of the host is mounted as a whole and can be written; what
 * in it is neither written to nor linked to is covered read-only. It lies near the top there: rsync 3.5 opens each
 * directory on the way to a link base for every file, and with a few less an unchanged tree takes an eighth less of the
 * processor.
 */
import { randomBytes } from 'node:crypto';
import { lstat, mkdtemp, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConfineMode, Confinement } from '../core/confinement.js';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { startProcess, startBoxed, textOf, type LocalProcess } from './process.js';
import { syscallFilter } from './syscall-filter.js';

/** What of the server an rsync is shown. Absolute directories, which may be the same as seen from outside. */
export interface Room {
  /** Mounted as one; null: nothing can be written. */
  readonly writable: string | null;
  /** Mounted after it, so that they cover parts of it. What is gone by then is left out. */
  readonly readOnly: readonly string[];
  /** Names of users and groups are looked up, maybe at a directory service. */
  readonly needsNames: boolean;
  /** Of the memory that it may address; 0: as much as it likes. */
  readonly memoryBytes: number;
}

/** Where what can be written lies in a box. Nothing on a host is called so by chance, or because it knows the name. */
const boxedPlace = `/.busy-${randomBytes(8).toString('hex')}`;

function seenFromOutside({ writable }: Room, text: string): string {
  return writable !== null && text.includes(boxedPlace) ? text.replaceAll(boxedPlace, () => writable) : text;
}

/** A path, or a word that an rsync is given, as it is in its box. */
export function seenFromInside({ writable }: Room, word: string): string {
  const [, option = '', path = ''] = /^(--link-dest=)?(\/.*)$/s.exec(word) ?? [];
  const isWithin = writable !== null && (path === writable || path.startsWith(`${writable}/`));
  return isWithin ? `${option}${boxedPlace}${path.slice(writable.length)}` : word;
}

/** A room for an rsync that talks to a host. */
export function roomFor(
  { rsyncOpts, rsyncMemoryBytes }: Pick<Host, 'rsyncOpts' | 'rsyncMemoryBytes'>,
  shown: Pick<Room, 'writable' | 'readOnly'>,
): Room {
  return { ...shown, needsNames: !rsyncOpts.includes('--numeric-ids'), memoryBytes: rsyncMemoryBytes };
}

export interface StartRsync {
  /** `output`: a descriptor for its standard output. */
  (args: readonly string[], signal: AbortSignal, output?: number): Promise<LocalProcess>;
  /** What an rsync says that was started so, with the paths as they are outside of its box, if it has one. */
  readonly seenFromOutside: (text: string) => string;
}

/** How long the trial may take. */
const trialMs = 10_000;
/** How long its outcome is believed. */
const trustMs = 30_000;

const notInstalled = 'bwrap (bubblewrap) is not installed';

/** Programs and their libraries; links among them stay links. */
const programDirectories = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'];
const programPlaces = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'libexec', 'local/bin', 'local/lib'];
const settingsFiles = ['passwd', 'group', 'nsswitch.conf', 'ld.so.cache'];
/** Sockets through which the C library asks for names. */
const nameServices = [
  '/run/nscd',
  '/run/nslcd',
  '/run/systemd/userdb',
  '/var/lib/sss/pipes',
  '/var/lib/sss/mc',
];

/** What the receiving rsync of root needs: owners, modes, devices, and attributes of all kinds. */
const capabilities = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'MKNOD', 'SETFCAP', 'SYS_ADMIN'];

export class Confiner {
  private found: { readonly state: Promise<Confinement>; readonly atMs: number } | null = null;
  private boxed: Confinement | null = null;
  /** Words before a program that is in no box: no set-user-ID program gives it more rights. A box does the same. */
  private barrier: readonly string[] = [];

  constructor(
    private readonly mode: ConfineMode,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /**
   * What works here; tried again after a while, since bubblewrap may be installed meanwhile. Where it has worked, a trial
   * that fails opens no box: only that bubblewrap is gone does. Never throws.
   */
  state(): Promise<Confinement> {
    const atMs = this.nowMs();
    if (!this.found || atMs - this.found.atMs >= trustMs) this.found = { state: this.lookAgain(), atMs };
    return this.found.state;
  }

  /** Starts rsyncs in a room. What is answered throws CONFINEMENT_MISSING where one is required and does not work. */
  starter(room: Room): StartRsync {
    let isBoxed = false;
    const start = async (
      args: readonly string[],
      signal: AbortSignal,
      output?: number,
    ): Promise<LocalProcess> => {
      const state = await this.state();
      ({ isBoxed } = state);
      if (isBoxed) return startIn(room, state, ['rsync', ...args], signal, output);
      if (this.mode === 'required') throw new BusyError('CONFINEMENT_MISSING', { detail: state.why });
      const opener = [...this.barrier, ...(state.isMemoryBounded ? bounded(room) : [])];
      return startWords([...opener, 'rsync', ...args], signal, output);
    };
    return Object.assign(start, {
      seenFromOutside: (text: string) => (isBoxed ? seenFromOutside(room, text) : text),
    });
  }

  /** Says in the log of a run when its rsyncs are in no box. */
  async tell(say: (text: string) => void): Promise<void> {
    const { isBoxed, why } = await this.state();
    if (!isBoxed) say(`not confined: ${why}`);
  }

  private async lookAgain(): Promise<Confinement> {
    const now = await this.look();
    if (!now.isBoxed && now.why !== notInstalled && this.boxed) return this.boxed;
    this.boxed = now.isBoxed ? now : null;
    const barrier = ['setpriv', '--no-new-privs', '--'];
    const isBarred =
      !now.isBoxed && (await outcomeOf(() => startWords([...barrier, 'true'], limit()))) === '';
    this.barrier = isBarred ? barrier : [];
    return now;
  }

  private async look(): Promise<Confinement> {
    const { mode } = this;
    const isMemoryBounded = (await outcomeOf(() => startWords(['prlimit', '--version'], limit()))) === '';
    const without = { mode, isBoxed: false, hasOwnNetwork: false, isMemoryBounded };
    if (mode === 'off') return { ...without, why: 'confine is off' };
    const obstacle = obstacleHere();
    if (obstacle !== null) return { ...without, why: obstacle };
    let why = '';
    for (const hasOwnNetwork of [true, false]) {
      const boxed = { ...without, isBoxed: true, hasOwnNetwork, why: '' };
      why = await tryOut(boxed);
      if (why === '') return boxed;
    }
    return { ...without, why };
  }
}

/** Why it would not work, or not without a difference in what is written; null: try it. */
function obstacleHere(): string | null {
  if (syscallFilter(process.arch, false) === null) return `the system calls of ${process.arch} are not known`;
  const others = (process.getgroups?.() ?? []).filter((group) => group !== process.getgid?.());
  if (process.getuid?.() !== 0 && others.length > 0)
    return 'the daemon is not root but in several groups, which a confined rsync could not give to files';
  return null;
}

/** Does in a room what rsync does; answers what went wrong, or nothing. */
async function tryOut(state: Confinement): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'busy-confine-'));
  try {
    const room = { writable: directory, readOnly: [], needsNames: false, memoryBytes: 0 };
    const work = 'cd "$0" && : >a && ln a b && cat </dev/null && rsync --version >/dev/null';
    return await outcomeOf(() => startIn(room, state, ['/bin/sh', '-c', work, directory], limit()));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function startWords(
  [program = '', ...words]: readonly string[],
  signal: AbortSignal,
  output?: number,
): LocalProcess {
  return startProcess(program, words, signal, output);
}

function limit(): AbortSignal {
  return AbortSignal.timeout(trialMs);
}

/** Empty when a program has ended well. */
async function outcomeOf(start: () => LocalProcess | Promise<LocalProcess>): Promise<string> {
  try {
    const child = await start();
    child.stdin.end();
    child.stdout.resume();
    const [{ code }, said] = await Promise.all([child.ended, textOf(child.stderr)]);
    const [lastLine = ''] = said.trim().split('\n').slice(-1);
    if (code === 0) return '';
    if (code === 127 && lastLine.includes('bwrap')) return notInstalled;
    return lastLine.slice(0, 200) || 'the trial of bwrap ended badly';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function startIn(
  room: Room,
  { hasOwnNetwork, isMemoryBounded }: Confinement,
  command: readonly string[],
  signal: AbortSignal,
  output?: number,
): Promise<LocalProcess> {
  const walls = [
    // No `--die-with-parent`: it kills rsync before it has given what it has of a file its name. It ends by itself, as
    // without a box, when its other side is gone.
    '--unshare-ipc',
    '--unshare-pid',
    '--unshare-uts',
    '--unshare-cgroup-try',
    ...(hasOwnNetwork ? ['--unshare-net'] : []),
    '--cap-drop',
    'ALL',
    ...(process.getuid?.() === 0 ? capabilities.flatMap((name) => ['--cap-add', `CAP_${name}`]) : []),
    ...(await systemView(room)),
    ...(room.writable === null ? [] : ['--bind', room.writable, boxedPlace]),
    ...room.readOnly.flatMap((path) => ['--ro-bind-try', path, seenFromInside(room, path)]),
    '--chdir',
    '/',
    '--',
  ];
  const filter = syscallFilter(process.arch, room.needsNames) ?? Buffer.alloc(0);
  return startBoxed(
    [...(isMemoryBounded ? bounded(room) : []), 'bwrap'],
    [...walls, ...command.map((word) => seenFromInside(room, word))],
    filter,
    signal,
    output,
  );
}

function bounded({ memoryBytes }: Room): string[] {
  return memoryBytes === 0 ? [] : ['prlimit', `--as=${memoryBytes}`, '--'];
}

async function systemView({ needsNames }: Room): Promise<string[]> {
  const links = await Promise.all(
    programDirectories.map(async (name) => {
      const isLink = await lstat(`/${name}`).then(
        (found) => found.isSymbolicLink(),
        () => false,
      );
      return isLink ? ['--symlink', await readlink(`/${name}`), `/${name}`] : readable(`/${name}`);
    }),
  );
  return [
    ...programPlaces.flatMap((name) => readable(`/usr/${name}`)),
    ...links.flat(),
    ...settingsFiles.flatMap((name) => readable(`/etc/${name}`)),
    ...(needsNames ? nameServices.flatMap(readable) : []),
    '--proc',
    '/proc',
    ...['null', 'zero', 'urandom'].flatMap((name) => ['--dev-bind', `/dev/${name}`, `/dev/${name}`]),
  ];
}

function readable(path: string): string[] {
  return ['--ro-bind-try', path, path];
}
