import { describe, expect, it } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import type { Host } from '../../src/core/host.js';
import {
  pullArguments,
  pullCommand,
  pushCommand,
  receiveArguments,
  type TransferPlan,
} from '../../src/execute/rsync-args.js';
import { sampleHost } from '../helpers/sample-host.js';

const plan: TransferPlan = {
  source: '/home',
  destination: '/srv/backup/web1/.partial-x/data/home',
  linkBases: [
    '/srv/backup/web1/2026-11-21_20-00-05f/data/home',
    '/srv/backup/web1/2026-11-20_20-00-05f/data/home',
  ],
  leftOut: [],
  snapshotBases: [],
  isComparison: false,
  mustCompareContents: false,
};

const letters = '-vlogDtprHAXSe.LsfxCIvu';
const fromHost = (...words: string[]): string[] => ['busy', 'rsync', ...words];

/** What of the local rsync's arguments is ours, whatever the host asks for. */
const ours = [
  '--log-format=%i',
  '--partial',
  '--modify-window=-1',
  '--numeric-ids',
  ...plan.linkBases.map((base) => `--link-dest=${base}`),
  '.',
  `${plan.destination}/`,
];

function receive(requested: readonly string[], host: Host = sampleHost()): string[] {
  return receiveArguments(host, plan, requested);
}

/** What of `rsync_opts` reaches the local rsync. */
function localOptions(...rsyncOpts: string[]): string[] {
  const args = receive(fromHost('--server', letters, '.', 'x'), sampleHost({ rsyncOpts }));
  return args.slice(
    args.indexOf('--partial') + 1,
    args.findIndex((word) => word.startsWith('--link-dest')),
  );
}

/** What our own rsync asks its connector for. */
function asked(...options: string[]): string[] {
  return ['busy', 'rsync', '--server', '--sender', ...options];
}

describe('receiveArguments', () => {
  it('takes the letters of an honest host, and all else from the plan', () => {
    expect(receive(fromHost('--server', letters, '.', 'snapshot/'))).toEqual(['--server', letters, ...ours]);
  });

  it.each([
    ['a path that leads out', ['--server', letters, '.', '../../../etc/']],
    ['an absolute path', ['--server', letters, '.', '/etc/cron.d/']],
    ['no path', ['--server', letters]],
    ['several paths', ['--server', letters, '.', 'snapshot/', '/root/']],
    ['--delete', ['--server', letters, '--delete', '.', 'snapshot/']],
    ['an own link base', ['--server', letters, '--link-dest=/etc', '.', 'snapshot/']],
    ['a directory for backups', ['--server', letters, '--backup-dir=/etc', '.', 'snapshot/']],
    ['a directory for parts', ['--server', letters, '--partial-dir=/etc', '.', 'snapshot/']],
    ['a log file', ['--server', letters, '--log-file=/etc/passwd', '.', 'snapshot/']],
    ['writing to devices', ['--server', letters, '--write-devices', '.', 'snapshot/']],
    ['a list of files', ['--server', letters, '--files-from=/etc/shadow', '.', 'snapshot/']],
    ['no checks of its names', ['--server', letters, '--trust-sender', '.', 'snapshot/']],
    ['letters in a later word', ['--server', letters, '-K', '-e', 'sh', '.', 'snapshot/']],
  ])('gives a host nothing that asks for %s', (_, words) => {
    expect(receive(fromHost(...words))).toEqual(['--server', letters, ...ours]);
  });

  it.each([
    ['nothing', []],
    ['empty words', ['', '', '', '']],
    ['no server', [...fromHost(letters, '.', 'snapshot/')]],
    ['a sender', fromHost('--server', '--sender', letters, '.', '/etc/')],
    ['a daemon', fromHost('--daemon', '--config=/tmp/x')],
    ['a server without letters', fromHost('--server')],
    ['a server and a path', fromHost('--server', '.', 'snapshot/')],
    ['an option in place of the letters', fromHost('--server', '--delete', letters, '.', 'snapshot/')],
    ['an option joined to the letters', fromHost('--server', `${letters} --delete`, '.', 'snapshot/')],
    ['a second NUL', fromHost('--server', `${letters}\0--delete`, '.', 'snapshot/')],
    ['a line break', fromHost('--server', `${letters}\n`, '.', 'snapshot/')],
    ['a remote shell', fromHost('--server', '-vlogDtpre/bin/sh', '.', 'snapshot/')],
    ['a remote shell with a dot', fromHost('--server', '-vlogDtpre.;id', '.', 'snapshot/')],
    ['a bare minus', fromHost('--server', '-', '.', 'snapshot/')],
    ['letters without an e', fromHost('--server', '-vlogDtpr', '.', 'snapshot/')],
    ['a shift to the right', ['rsync', 'busy', 'rsync', '--server', letters, '.', 'snapshot/']],
  ])('refuses %s', (_, words) => {
    const attempt = (): string[] => receive(words);
    expect(attempt).toThrow(BusyError);
    expect(attempt).toThrow(expect.objectContaining({ reason: 'HOST_MISBEHAVED' }));
  });

  // Each of these changes what is written, or where, or leads the receiver through symbolic links.
  it.each('KRbsdiIunqETMf0@BFPhV'.split(''))('refuses the letter %s', (letter) => {
    expect(() => receive(fromHost('--server', `-vlogDtpr${letter}e.LsfxCIvu`, '.', 'x'))).toThrow(BusyError);
  });

  it('takes from rsync_opts only what the receiving side must know, in its words', () => {
    expect(localOptions('-aHAXS', '--exclude=x', '--compress', '--delete')).toEqual(['--modify-window=-1']);
    expect(localOptions('--fake-super', '--max-size=1m')).toEqual([
      '--modify-window=-1',
      '--fake-super',
      '--max-size=1m',
    ]);
    expect(localOptions('--modify-window=2')).toEqual(['--modify-window=2']);
    expect(localOptions('--chown=a:b')).toEqual(['--modify-window=-1', '--usermap=*:a', '--groupmap=*:b']);
    expect(localOptions('--chown=:b')).toEqual(['--modify-window=-1', '--groupmap=*:b']);
  });

  it('compares contents when the plan says so, once', () => {
    const must = { ...plan, mustCompareContents: true };
    const ask = (word: string): string[] =>
      receiveArguments(sampleHost(), must, fromHost('--server', word, '.', 'x'));
    expect(ask(letters)).toContain('--checksum');
    expect(ask('-vlogDtprce.LsfxCIvu')).not.toContain('--checksum');
  });
});

function askedFor(word: string, what: TransferPlan): string[] {
  return receiveArguments(sampleHost(), what, fromHost('--server', word, '.', 'x'));
}

describe('a comparison', () => {
  const comparison = { ...plan, isComparison: true };
  it('is a dry run on either side', () => {
    expect(pullArguments(sampleHost(), comparison)).toContain('--dry-run');
    expect(pushCommand(sampleHost(), comparison)).toContain("'--dry-run'");
    expect(askedFor(`-n${letters.slice(1)}`, comparison)).toContain(`-n${letters.slice(1)}`);
  });

  it('never writes, and a backup is never a dry run, whatever the host asks for', () => {
    expect(() => askedFor(letters, comparison)).toThrow(BusyError);
    expect(() => askedFor(`-n${letters.slice(1)}`, plan)).toThrow(BusyError);
    expect(() => askedFor('-vlogDtpnrHAXSe.LsfxCIvu', plan)).toThrow(BusyError);
  });
});

it('looks at the uppermost level alone where the plan says so, and never else', () => {
  const shallow: TransferPlan = { ...plan, isComparison: true, isShallow: true };
  expect(askedFor('-nvlogDdtpHAXSe.LsfxCIvu', shallow)).toContain('-nvlogDdtpHAXSe.LsfxCIvu');
  expect(() => askedFor(`-n${letters.slice(1)}`, shallow)).toThrow(BusyError);
  expect(() => askedFor('-vlogDdtpHAXSe.LsfxCIvu', plan)).toThrow(BusyError);
});

describe('pullCommand', () => {
  it('starts the rsync of the host with the options of ours, and the source of the plan', () => {
    const host = sampleHost({ rsyncPath: ['sudo', '/usr/bin/rsync'] });
    const words = asked(letters, '--numeric-ids', '--bwlimit=100', '.', 'somewhere/else');
    expect(pullCommand(host, plan, words)).toBe(
      `sudo /usr/bin/rsync --server --sender ${letters} --numeric-ids --bwlimit=100 . /home/`,
    );
  });

  it.each([
    ['nothing', []],
    ['a receiver', ['busy', 'rsync', '--server', letters, '.', 'x']],
    ['no dot', asked(letters, 'x')],
    ['a space', asked(`${letters} --delete`, '.', 'x')],
    ['a semicolon', asked(letters, '--x;id', '.', 'x')],
    ['a substitution', asked(letters, '--x=$(id)', '.', 'x')],
    ['a glob', asked(letters, '--x=*', '.', 'x')],
    ['a line break', asked(letters, '--x\n', '.', 'x')],
    ['an empty word', asked(letters, '', '.', 'x')],
  ])('refuses %s', (_, words) => {
    expect(() => pullCommand(sampleHost(), plan, words)).toThrow(BusyError);
  });
});

describe('pullArguments', () => {
  it('end with the source and the destination of the plan', () => {
    expect(pullArguments(sampleHost(), plan).slice(-3)).toEqual([
      '--',
      'busy:/home/',
      `${plan.destination}/`,
    ]);
    const root = { ...plan, source: '/', destination: '/srv/data' };
    expect(pullArguments(sampleHost(), root).slice(-3)).toEqual(['--', 'busy:/', '/srv/data/']);
  });

  it('name each link base in its order', () => {
    const bases = pullArguments(sampleHost(), plan).filter((word) => word.startsWith('--link-dest'));
    expect(bases).toEqual(plan.linkBases.map((base) => `--link-dest=${base}`));
  });

  it('leave nested sources to their own jobs, before the patterns of the user', () => {
    const nested = { ...plan, source: '/data', leftOut: ['/data/a[b]*?\\c', '/data/d e'] };
    const host = sampleHost({ excludes: ['*.tmp'] });
    expect(pullArguments(host, nested).filter((word) => word.startsWith('--exclude'))).toEqual([
      '--exclude=/a\\[b\\]\\*\\?\\\\c/**',
      '--exclude=/d e/**',
      '--exclude=*.tmp',
    ]);
    const below = { ...plan, source: '/', leftOut: ['/home'] };
    expect(pullArguments(sampleHost(), below)).toContain('--exclude=/home/**');
  });

  it('limit the rate and compare contents only when asked', () => {
    const words = pullArguments(sampleHost({ bandwidthLimit: '1.5m' }), {
      ...plan,
      mustCompareContents: true,
    });
    expect(words).toContain('--bwlimit=1.5m');
    expect(words).toContain('--checksum');
    const plain = pullArguments(sampleHost(), plan).join(' ');
    expect(plain).not.toMatch(/--bwlimit|--checksum|--delete|--inplace/);
  });
});

describe('pushCommand', () => {
  it('names no path of the server', () => {
    const command = pushCommand(sampleHost(), plan);
    expect(command).toContain("'--' '/home/' 'busy:snapshot/'");
    expect(command).not.toContain('/srv/backup');
    expect(command).not.toContain('--link-dest');
  });
});
