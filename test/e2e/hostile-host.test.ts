import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobState, RunState, type Run } from '../../src/gen/busy/v1/run.js';
import { listAll, peakMemories, prepareBed, type HostSettings } from '../helpers/hostile-bed.js';
import {
  askingFor,
  pullDotDot,
  pullMore,
  pushDotDot,
  pushMore,
  sendingPlanted,
} from '../helpers/hostile-programs.js';
import { spaceTaken } from '../helpers/space-taken.js';
import type { TestBed } from '../helpers/test-bed.js';

/** A program on the host that is called in place of rsync, and what comes of it. */
interface Trick {
  readonly name: string;
  /** Shell; what it is, beside answering --version. */
  readonly program: string;
  readonly reason: string;
  /** What the sentence must hold. */
  readonly says?: string;
}

const request = 'printf "%s\\0" 6 busy rsync --server -logDtpre.iLsfxCIvu . snapshot/ >&4';

/** What the host asks for is not what it gets: the run is good, and nothing else was touched. */
const ignoredRequests = [
  ['another destination', 'set -- "$1" "$2" --server "$4" . ../../../outside/'],
  ['an absolute destination', 'set -- "$1" "$2" --server "$4" . "$(dirname "$0")/outside/"'],
  ['the snapshot of another host', 'set -- "$1" "$2" --server "$4" . ../../../../victim/'],
  ['--delete', 'set -- "$1" "$2" --server "$4" --delete-before --force --numeric-ids . snapshot/'],
  ['a log file', 'set -- "$1" "$2" --server "$4" --log-file="$(dirname "$0")/outside/log" . snapshot/'],
  ['backups of what it overwrites', 'set -- "$1" "$2" --server "$4" --backup --backup-dir=/tmp . snapshot/'],
  ['another link base', 'set -- "$1" "$2" --server "$4" --link-dest=/etc --copy-dest=/etc . snapshot/'],
] as const;

const clientTricks: readonly Trick[] = [
  {
    name: 'a daemon',
    program: askingFor('set -- "$1" "$2" --daemon --config=/etc/passwd'),
    reason: 'HOST_MISBEHAVED',
  },
  {
    name: 'to read',
    program: askingFor('set -- "$1" "$2" --server --sender "$4" . /etc/'),
    reason: 'HOST_MISBEHAVED',
  },
  {
    name: 'letters that are not allowed',
    program: askingFor('set -- "$1" "$2" --server -logDtpRre.iLsfxCIvu . snapshot/'),
    reason: 'HOST_MISBEHAVED',
  },
  {
    name: 'an option among the letters',
    program: askingFor('set -- "$1" "$2" --server "-e.i --rsync-path=x" . snapshot/'),
    reason: 'HOST_MISBEHAVED',
  },
  {
    name: 'a greeting',
    program: 'echo "Welcome to web1, authorized use only" >&4',
    reason: 'HOST_MISBEHAVED',
    says: 'greeting',
  },
  {
    name: 'an endless request',
    program: 'printf "150\\0" >&4; tr "\\0" x </dev/zero >&4',
    reason: 'HOST_MISBEHAVED',
  },
  { name: 'endless words', program: 'printf "150\\0" >&4; cat /dev/zero >&4', reason: 'HOST_MISBEHAVED' },
  { name: 'nothing, and ends well', program: 'exit 0', reason: 'HOST_MISBEHAVED' },
  { name: 'nothing, and fails', program: 'exit 3', reason: 'RSYNC_FAILED' },
  { name: 'nothing, and stays', program: 'exec sleep 1000', reason: 'HOST_STALLED' },
  { name: 'properly, and then ends', program: request, reason: 'RSYNC_FAILED' },
  {
    name: 'properly, and then sends noise',
    program: `${request}; head -c 1000000 /dev/urandom >&4`,
    reason: 'RSYNC_FAILED',
  },
];

const serverTricks: readonly Trick[] = [
  { name: 'noise', program: 'head -c 1000000 /dev/urandom', reason: 'RSYNC_FAILED' },
  { name: 'a greeting', program: 'echo "Welcome to web1, authorized use only"', reason: 'RSYNC_FAILED' },
  { name: 'nothing, and ends well', program: 'exit 0', reason: 'RSYNC_FAILED' },
  { name: 'nothing, and stays', program: 'exec sleep 1000', reason: 'HOST_STALLED' },
];

describe.each([
  { initiator: 'client', verb: 'asks for', tricks: clientTricks },
  { initiator: 'server', verb: 'answers with', tricks: serverTricks },
])('a host that $verb', ({ initiator, tricks }) => {
  let bed: TestBed;

  beforeAll(async () => {
    bed = await prepareBed(initiator, [
      // Only silence itself is to be ended as that, however slow the machine is.
      ...tricks.map(({ program, reason }, index): readonly [string, string, HostSettings] => {
        return [`trick-${index}`, program, reason === 'HOST_STALLED' ? {} : { idle_timeout: '1m' }];
      }),
      ...ignoredRequests.map(([, change], index) => [`ignored-${index}`, askingFor(change)] as const),
      ['dot-dot', initiator === 'client' ? pushDotDot : pullDotDot],
      ['swap', 'exec rsync "$@"', { source: 'swapped' }],
      ['more', initiator === 'client' ? pushMore : pullMore],
      ['inner', sendingPlanted, { source: 'outer', inner: 'deep' }],
      ['inner-at-once', sendingPlanted, { source: 'outer', inner: 'deep', jobs_at_once: 2 }],
      [
        'other-source',
        `left=$#
for word in "$@"; do left=$((left - 1)); shift; if [ $left -gt 0 ]; then set -- "$@" "$word"; fi; done
exec rsync "$@" "$(dirname "$0")/../outside/"`,
      ],
    ]);
  });
  afterAll(() => bed.end());

  it.each(tricks.map((trick, index) => ({ ...trick, host: `trick-${index}` })))(
    '$name: $reason',
    async ({ host, reason, says = host }) => {
      const before = await listAll(bed, host);
      const run = await bed.backUp(host);
      expect(run).toMatchObject({ state: RunState.FAILED, error: { reason }, snapshot: '' });
      expect(run.error?.message).toContain(reason === 'RSYNC_FAILED' ? '/source' : says);
      expect(await listAll(bed, host)).toEqual(before);
    },
  );

  it('names that lead out of the snapshot', async () => {
    const before = await listAll(bed, 'dot-dot');
    const run = await bed.backUp('dot-dot');
    expect(run.state).toBe(RunState.FAILED);
    expect(await bed.readRunLog(run.id)).toContain('unsafe pathname');
    expect(await listAll(bed, 'dot-dot')).toEqual(before);
    const { stdout } = await promisify(execFile)('find', [
      bed.backupdir,
      '-ignore_readdir_race',
      '-name',
      '*evil*',
    ]);
    expect(stdout).toBe('');
  });

  it.each(['inner', 'inner-at-once'])(
    'a symlink where another source directory belongs (%s), and nothing is written through it',
    async (host) => {
      for (const name of ['outer', 'planted']) await mkdir(join(bed.directory, name), { recursive: true });
      await writeFile(join(bed.directory, 'planted/evil'), 'evil');
      await rm(join(bed.directory, 'outer/deep'), { force: true });
      await symlink(join(bed.directory, 'outside'), join(bed.directory, 'outer/deep'));
      const before = await listAll(bed, host);
      const run = await bed.backUp(host);
      expect(await listAll(bed, host)).toEqual(before);
      expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'HOST_MISBEHAVED' } });
      expect(run.error?.message).toContain('/outer/deep as a symlink');
    },
  );

  it('a symlink where a directory was, and is not written through', async () => {
    const source = join(bed.directory, 'swapped');
    await writeFile(join(source, 'stays'), 'or the source would be empty');
    await mkdir(join(source, 'place'));
    await writeFile(join(source, 'place/secret'), 'from the first backup');
    const first = await bed.backUp('swap');
    expect(first.state).toBe(RunState.SUCCEEDED);
    await rm(join(source, 'place'), { recursive: true });
    await symlink(join(bed.directory, 'outside'), join(source, 'place'));
    const before = await listAll(bed, 'swap');
    const second = await bed.backUp('swap');
    expect(second.state).toBe(RunState.SUCCEEDED);
    expect(await listAll(bed, 'swap')).toEqual(before);
    expect(await readlink(join(bed.snapshotPath(second), 'data', source, 'place'))).toBe(
      join(bed.directory, 'outside'),
    );
    // And back: a directory where the snapshot that is the link base has a link that leads out of it.
    await rm(join(source, 'place'));
    await mkdir(join(source, 'place'));
    await writeFile(join(source, 'place/secret'), 'from the third backup');
    const beforeThird = await listAll(bed, 'swap');
    const third = await bed.backUp('swap');
    expect(third.state).toBe(RunState.SUCCEEDED);
    expect(await listAll(bed, 'swap')).toEqual(beforeThird);
    const kept = [first, third].map((run) =>
      readFile(join(bed.snapshotPath(run), 'data', source, 'place/secret'), 'utf8'),
    );
    expect(await Promise.all(kept)).toEqual(['from the first backup', 'from the third backup']);
    expect(await readFile(join(bed.directory, 'outside/secret'), 'utf8')).toBe('not asked for');
  });

  it('data after the end, which goes nowhere', async () => {
    const before = await listAll(bed, 'more');
    const run = await bed.backUp('more');
    if (initiator === 'client') {
      expect(run.state).toBe(RunState.SUCCEEDED);
      const data = join(bed.snapshotPath(run), 'data', bed.directory, 'source/file');
      expect(await readFile(data, 'utf8')).toBe('mine');
    } else {
      // Our rsync waits for the end of the stream there, and takes what comes instead for a failure.
      expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'RSYNC_FAILED' }, snapshot: '' });
    }
    expect(await listAll(bed, 'more')).toEqual(before);
  });

  if (initiator === 'server') {
    it('files of another directory, which stay in the snapshot', async () => {
      const before = await listAll(bed, 'other-source');
      const run = await bed.backUp('other-source');
      expect(run).toMatchObject({ state: RunState.SUCCEEDED });
      const data = join(bed.snapshotPath(run), 'data', bed.directory, 'source/secret');
      expect(await readFile(data, 'utf8')).toBe('not asked for');
      expect(await listAll(bed, 'other-source')).toEqual(before);
    });
  }

  if (initiator === 'client') {
    it.each(ignoredRequests.map(([name], index) => ({ name, host: `ignored-${index}` })))(
      '$name, and does not get it',
      async ({ host }) => {
        const before = await listAll(bed, host);
        const run = await bed.backUp(host);
        expect(run).toMatchObject({ state: RunState.SUCCEEDED, error: undefined });
        const data = join(bed.snapshotPath(run), 'data', bed.directory, 'source/file');
        expect(await readFile(data, 'utf8')).toBe('mine');
        expect(await listAll(bed, host)).toEqual(before);
      },
    );
  }
});

describe('a host that sends without end', () => {
  let bed: TestBed;
  const banners: Server[] = [];

  beforeAll(async () => {
    bed = await prepareBed('server', [
      ['terminal', 'yes "$(printf \'\\033[2J\\033]0;evil\\007\\r\')" >&2'],
      ['one-line', 'tr "\\0" x </dev/zero >&2'],
      // These are ended by the test alone, however slow the machine is.
      ['terminal-on', 'yes "$(printf \'\\033[2J\\033]0;evil\\007\\r\')" >&2', { idle_timeout: '10m' }],
      ['one-line-on', 'tr "\\0" x </dev/zero >&2', { idle_timeout: '10m' }],
      ['banner-lines', '', await startFlood(banners, 'welcome\n'.repeat(8000))],
      ['banner-line', '', await startFlood(banners, 'x'.repeat(64_000))],
    ]);
  });
  afterAll(async () => {
    for (const server of banners) server.close();
    await bed.end();
  });

  it.each(['terminal', 'one-line'])('complaints (%s) is ended as stalled', async (host) => {
    const run = await bed.backUp(host);
    expect(run).toMatchObject({ state: RunState.FAILED, error: { reason: 'HOST_STALLED' } });
    await expectSmallAndClean(run);
  });

  it.each(['terminal-on', 'one-line-on'])('complaints (%s) can be cancelled', async (host) => {
    const { id } = await bed.trigger(host);
    await bed.waitForRun(id, ({ jobs }) => jobs[0]?.state === JobState.RUNNING);
    expect((await bed.busy(['cancel', id])).code).toBe(0);
    const run = await bed.waitForRun(id);
    expect(run.state).toBe(RunState.CANCELLED);
    await expectSmallAndClean(run);
  });

  it.each(['banner-lines', 'banner-line'])('a greeting (%s) is given up', async (host) => {
    const { code, stderr } = await bed.busy(['probe', host]);
    expect(stderr).toContain('(NOT_SSH)');
    expect(code).toBe(1);
    for (const bytes of await peakMemories(bed)) expect(bytes).toBeLessThan(400e6);
  });

  async function expectSmallAndClean(run: Run): Promise<void> {
    const log = await bed.readRunLog(run.id);
    expect(log.length).toBeLessThan(12_000_000);
    expect(log.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(await spaceTaken(join(bed.backupdir, run.host), { apparent: true })).toBeLessThan(160e6);
    for (const bytes of await peakMemories(bed)) expect(bytes).toBeLessThan(400e6);
  }
});

/** A server that greets without end, as fast as the other side takes it; answers the settings of a host there. */
async function startFlood(servers: Server[], text: string): Promise<HostSettings> {
  const server = createServer((socket) => {
    const write = (): void => {
      while (!socket.destroyed && socket.write(text));
    };
    socket.on('error', () => socket.destroy());
    socket.on('drain', write);
    write();
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, connect_timeout: '2s' };
}
