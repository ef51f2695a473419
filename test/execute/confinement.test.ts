import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Confiner, seenFromInside, type Room } from '../../src/execute/confinement.js';
import { textOf } from '../../src/execute/process.js';

/** What a hole in rsync would let a host do: run programs where rsync runs. Here rsync is asked to, by its -e. */
describe('a confined rsync', () => {
  let directory: string;
  let room: Room;
  const confiner = new Confiner('required');

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'busy-room-'));
    for (const name of ['web1/new', 'web1/base', 'web1/older', 'web2'])
      await mkdir(join(directory, name), { recursive: true });
    for (const name of ['web1/base/file', 'web1/older/file', 'web2/file', 'key'])
      await writeFile(join(directory, name), 'secret');
    room = {
      writable: join(directory, 'web1'),
      readOnly: [join(directory, 'web1/older'), join(directory, 'web1/gone')],
      needsNames: false,
      memoryBytes: 2 ** 30,
    };
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** The directory of the host, in the box. */
  const place = (): string => seenFromInside(room, join(directory, 'web1'));

  /** Answers what the commands print, which run with the directory of the host as $D. */
  async function run(commands: string, within: Room = room): Promise<string> {
    const script = join(directory, 'web1/new/script');
    await writeFile(script, `D=${place()}\n{\n${commands}\n} >"$0.out" 2>&1\n`);
    const start = confiner.starter(within);
    const rsync = await start(
      ['-e', `/bin/sh ${seenFromInside(within, script)}`, 'host:/', join(directory, 'web1/new/')],
      AbortSignal.timeout(30_000),
    );
    rsync.stdin.end();
    rsync.stdout.resume();
    rsync.stderr.resume();
    await rsync.ended;
    return readFile(`${script}.out`, 'utf8');
  }

  it('sees the directory of its host, and nothing of other hosts, of keys, of settings or of other processes', async () => {
    const seen = await run(
      'ls "$D/.."; echo; ls "$D"; echo; ls /etc /root /home /var; ls /proc | grep -c "^[0-9]*$"',
    );
    const [above, host, rest = ''] = seen.split('\n\n');
    expect(above?.split('\n')).not.toContain('tmp');
    expect(seen).not.toContain('web2');
    expect(host).toBe('base\nnew\nolder');
    expect(rest).toMatch(/'\/root': No such file/);
    expect(rest).not.toMatch(/shadow|ssh/);
    expect(Number(rest.trim().split('\n').at(-1))).toBeLessThan(12);
    // What is gone by then is not made anew.
    expect(await readdir(join(directory, 'web1'))).toEqual(['base', 'new', 'older']);
  });

  it('writes and links there, but changes no older snapshot and no program', async () => {
    const said = await run(
      'ln "$D/base/file" "$D/new/link" && echo linked; echo x >"$D/older/file"; rm "$D/older/file"; echo x >/usr/bin/x',
    );
    expect(said).toMatch(/^linked\n/);
    expect(said.match(/Read-only file system/g)).toHaveLength(3);
    expect((await stat(join(directory, 'web1/base/file'))).nlink).toBe(2);
  });

  it('gives files owners, modes, devices and attributes as its user may', async () => {
    const isRoot = process.getuid?.() === 0;
    const asRoot = `chown 1234:5678 f && chmod 6755 f && mknod d b 254 0 && setfattr -n trusted.t -v 1 f &&
setfattr -n security.selinux -v x f && setfattr -h -n trusted.t -v 1 "$D/new"`;
    const said = await run(
      `cd "$D/new" && touch f && ${isRoot ? asRoot : 'chmod 6755 f && setfattr -n user.t -v 1 f'} && echo all; cat d`,
    );
    expect(said).toMatch(isRoot ? /^all\ncat: d: Permission denied\n$/ : /^all\n/);
    const made = await stat(join(directory, 'web1/new/f'));
    const { uid, gid } = isRoot ? { uid: 1234, gid: 5678 } : await stat(directory);
    expect([made.uid, made.gid, made.mode & 0o7777]).toEqual([uid, gid, 0o6755]);
  });

  it('cannot get out: no mount, no namespace, no socket, no other process, no handle', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const said = await run(`python3 - <<'END'
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    ctypes.set_errno(0)
    answer = getattr(libc, name)(*args)
    print(name, answer, os.strerror(ctypes.get_errno()))
D = b"${place()}"
call("umount2", D + b"/older", 2)
call("mount", b"none", D + b"/new", b"tmpfs", 0, None)
call("mount", None, D, None, 32 | 4096, None)
call("unshare", 0x20000)
call("setns", 0, 0)
call("chroot", b"/")
call("ptrace", 16, 1, 0, 0)
call("open_by_handle_at", 3, 0, 0)
call("quotactl", 0, 0, 0, 0)
call("ioctl", 0, 0x5401, 0)
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK):
    try:
        socket.socket(family)
        print("a socket")
    except OSError as error:
        print("socket", error.strerror)
END
(: </dev/tcp/127.0.0.1/${String(port)}) || echo no way`);
    server.close();
    const lines = said.trim().split('\n');
    expect(lines.filter((line) => line.endsWith('-1 Operation not permitted'))).toHaveLength(9);
    expect(said).toContain('ioctl -1 Inappropriate ioctl for device');
    expect(lines.filter((line) => line === 'socket Permission denied')).toHaveLength(4);
    expect(lines.at(-1)).toBe('no way');
  });

  it('is given paths as they are in its box', () => {
    const inside = seenFromInside(room, `--link-dest=${directory}/web1/base/data`);
    expect(inside).toMatch(/^--link-dest=\/[^/]+\/base\/data$/);
    for (const word of ['busy:/etc/', `--exclude=${directory}/web1`, `${directory}/web10/`, '/'])
      expect(seenFromInside(room, word)).toBe(word);
  });

  it('says what it says with the paths as they are outside, in a box or in none', async () => {
    const [base, missing] = [join(directory, 'web1/base/'), join(directory, 'web1/new/q/r')];
    for (const one of [confiner, new Confiner('off')]) {
      const start = one.starter(room);
      const rsync = await start(['-r', base, missing], AbortSignal.timeout(30_000));
      for (const stream of [rsync.stdin, rsync.stdout]) stream.destroy();
      const [said] = await Promise.all([textOf(rsync.stderr), rsync.ended]);
      expect(start.seenFromOutside(said)).toContain(`mkdir "${missing}" failed`);
      // Nothing of a source is taken for the place in the box.
      const ofHost = `rsync: [sender] opendir "${seenFromInside(room, `${directory}/web1/x`)}" failed`;
      const isBoxed = one === confiner;
      expect(start.seenFromOutside(ofHost) === ofHost).toBe(!isBoxed);
      expect(start.seenFromOutside('opendir "/.busy-store/x"')).toBe('opendir "/.busy-store/x"');
    }
  });

  it('ends politely at first: rsync may tidy up', async () => {
    const stop = new AbortController();
    const start = confiner.starter(room);
    const rsync = await start(
      ['--server', '-logDtpre.iLsfxCIvu', '.', join(directory, 'web1/new')],
      stop.signal,
    );
    rsync.stdin.write(Buffer.from([31, 0, 0, 0]));
    await new Promise((resolve) => rsync.stdout.once('data', resolve));
    rsync.stderr.resume();
    stop.abort();
    // rsync's own code for a signal, and not that of a process that was killed.
    expect(await rsync.ended).toEqual({ code: 20, signal: null });
  });

  it('is bounded in memory', async () => {
    const small = { ...room, memoryBytes: 512 * 1024 ** 2 };
    const said = await run('head -c 700000000 /dev/zero | tail -n 1 | wc -c', small);
    expect(said).toMatch(/memory/);
  });
});

describe('the setting confine', () => {
  it('auto stays with a box that has worked when a later trial fails, but not without bubblewrap', async () => {
    const path = process.env.PATH;
    const programs = await mkdtemp(join(tmpdir(), 'busy-no-programs-'));
    let nowMs = 0;
    const confiner = new Confiner('auto', () => nowMs);
    try {
      expect(await confiner.state()).toMatchObject({ isBoxed: true });
      await writeFile(join(programs, 'bwrap'), '#!/bin/sh\necho "no more processes" >&2\nexit 1\n', {
        mode: 0o755,
      });
      process.env.PATH = `${programs}:${String(path)}`;
      expect(await new Confiner('auto').state()).toMatchObject({ isBoxed: false, why: 'no more processes' });
      nowMs += 60_000;
      expect(await confiner.state()).toMatchObject({ isBoxed: true });
      const start = confiner.starter({ writable: null, readOnly: [], needsNames: false, memoryBytes: 0 });
      const rsync = await start(['--version'], AbortSignal.timeout(30_000));
      for (const stream of [rsync.stdout, rsync.stderr]) stream.resume();
      expect((await rsync.ended).code).toBe(1);

      process.env.PATH = programs;
      await rm(join(programs, 'bwrap'));
      nowMs += 60_000;
      expect(await confiner.state()).toMatchObject({ isBoxed: false });
    } finally {
      process.env.PATH = path;
      await rm(programs, { recursive: true });
    }
  });

  it('off: nothing that rsync starts gets more rights than it has', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'busy-no-box-'));
    const script = join(directory, 'script');
    await writeFile(script, 'grep NoNewPrivs /proc/self/status >"$0.out"\n');
    const start = new Confiner('off').starter({
      writable: directory,
      readOnly: [],
      needsNames: false,
      memoryBytes: 2 ** 30,
    });
    const rsync = await start(['-e', `/bin/sh ${script}`, 'host:/', directory], AbortSignal.timeout(30_000));
    for (const stream of [rsync.stdout, rsync.stderr]) stream.resume();
    await rsync.ended;
    expect(await readFile(`${script}.out`, 'utf8')).toBe('NoNewPrivs:\t1\n');
    await rm(directory, { recursive: true });
  });

  it('off says so, and required refuses where it does not work', async () => {
    expect(await new Confiner('off').state()).toMatchObject({ isBoxed: false, why: 'confine is off' });
    const path = process.env.PATH;
    const empty = await mkdtemp(join(tmpdir(), 'busy-no-programs-'));
    process.env.PATH = empty;
    try {
      const [auto, required] = [new Confiner('auto'), new Confiner('required')];
      expect(await auto.state()).toEqual({
        mode: 'auto',
        isBoxed: false,
        hasOwnNetwork: false,
        isMemoryBounded: false,
        why: 'bwrap (bubblewrap) is not installed',
      });
      const start = required.starter({ writable: null, readOnly: [], needsNames: false, memoryBytes: 0 });
      await expect(start(['--version'], AbortSignal.timeout(30_000))).rejects.toMatchObject({
        reason: 'CONFINEMENT_MISSING',
      });
    } finally {
      process.env.PATH = path;
      await rm(empty, { recursive: true });
    }
  });
});
