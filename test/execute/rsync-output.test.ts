/** The lines are what rsync 3.2.7 and 3.5.0 wrote over odd trees. */
import { describe, expect, it } from 'vitest';
import {
  parseRsyncLine,
  readableName,
  withoutOldProgress,
  type RsyncEvent,
} from '../../src/execute/rsync-output.js';

function progress(bytesDone: number, percent: number, bytesPerSecond: number): RsyncEvent {
  return { kind: 'progress', progress: { bytesDone, percent, bytesPerSecond } };
}

function checked(transferred: number, left: number, total: number, isListing = false): RsyncEvent {
  return { kind: 'checked', transferred, left, total, isListing };
}

function item(change: string, path: string): RsyncEvent {
  return { kind: 'item', change, size: 27, path };
}

const mebi = 1024 * 1024;

describe('progress', () => {
  it.each([
    ['              1   0%    0.00kB/s    0:00:00  ', [progress(1, 0, 0)]],
    [
      '  5368709127  99%  424.51MB/s    0:00:12 (xfr#7, to-chk=9/20) ',
      [progress(5368709127, 99, Math.round(424.51 * mebi)), checked(7, 9, 20)],
    ],
    [
      '        1200000  79%    1.09GB/s    0:00:00 (xfr#3, ir-chk=1022/126013)',
      [progress(1200000, 79, Math.round(1.09 * 1024 * mebi)), checked(3, 1022, 126013, true)],
    ],
    [
      '             28  77%   26.37kB/s    0:00:00 (xfr#10, to-chk=0/18)',
      [progress(28, 77, Math.round(26.37 * 1024)), checked(10, 0, 18)],
    ],
    [
      '              0 100%    0.00kB/s    0:00:00 (xfr#0, to-chk=0/0)',
      [progress(0, 100, 0), checked(0, 0, 0)],
    ],
    ['  1,234,567,890   3%    1.00MB/s  123:45:06  ', [progress(1234567890, 3, mebi)]],
  ])('of %j', (line, events) => {
    expect(parseRsyncLine(line)).toEqual(events);
  });

  it.each([
    // A file that grew while it was sent makes rsync count below zero for a moment, or beyond the whole.
    ['        -967232 -24%    0.00kB/s    0:00:00  ', progress(0, 0, 0)],
    ['        8000000 -2147483648%    1.00MB/s    0:00:00  ', progress(8000000, 0, mebi)],
    ['        8000000 160%    1.00MB/s   ??:??:??  ', progress(8000000, 100, mebi)],
  ])('stays within its bounds: %j', (line, event) => {
    expect(parseRsyncLine(line)).toEqual([event]);
  });

  it('that a later line makes worthless is left out', () => {
    const old = '  1,000  10%    1.00MB/s    0:00:01 (xfr#1, to-chk=5/7)';
    const glued = `${old}>f+++++++++ 27 z (copy)`;
    const [within, named] = ['     99  10%    1.00MB/s    0:00:01  ', ' (xfr#1, to-chk=5/7)'];
    const newest = '  3,000  30%    1.00MB/s    0:00:01 (xfr#3, ir-chk=3/7) ';
    const kept = withoutOldProgress([old, glued, within, named, old, newest, 'cd+++++++++ 27 z/']);
    expect(kept).toEqual([glued, within, named, newest, 'cd+++++++++ 27 z/']);
    expect(withoutOldProgress([old])).toEqual([old]);
  });

  it('and an item in one line are both heard', () => {
    // After a line on the error stream rsync believes that the line of the progress has ended.
    const line = '        8000000  99%    4.06MB/s    0:00:01 (xfr#1, to-chk=5/7)cd+++++++++ 27 z/';
    expect(parseRsyncLine(line)).toEqual([
      progress(8000000, 99, Math.round(4.06 * mebi)),
      checked(1, 5, 7),
      item('cd+++++++++', 'z/'),
    ]);
  });
});

describe('items', () => {
  it.each([
    ['>f+++++++++ 27 "quote"', '>f+++++++++', '"quote"'],
    ['.f...p..... 27 hard1', '.f...p.....', 'hard1'],
    ['.f          27 same', '.f         ', 'same'],
    ['hf+++++++++ 27 hard1 => hard2', 'hf+++++++++', 'hard1 => hard2'],
    ['cL+++++++++ 27 sym -> target', 'cL+++++++++', 'sym -> target'],
    ['cd+++++++++ 27 ./', 'cd+++++++++', './'],
    ['cD+++++++++ 27 dev', 'cD+++++++++', 'dev'],
    ['cS+++++++++ 27 fifo', 'cS+++++++++', 'fifo'],
    ['.d..tp...ax 27 d/', '.d..tp...ax', 'd/'],
    ['*deleting   27 tab\tx', '*deleting  ', 'tab\\#011x'],
    ['>f.st...... 27 zo\\#303\\#253 \\#360\\#237\\#230\\#200', '>f.st......', 'zoë 😀'],
    ['>f+++++++++ 27 new\\#012line', '>f+++++++++', 'new\\#012line'],
    ['>f+++++++++ 27 latin\\#351', '>f+++++++++', 'latin\\#351'],
    ['>f+++++++++ 27 back\\#134#101slash', '>f+++++++++', 'back\\#134#101slash'],
    ['>f+++++++++ 27  ', '>f+++++++++', ' '],
    ['>f+++++++++ 27 end: Permission denied (13)', '>f+++++++++', 'end: Permission denied (13)'],
    ['>f+++++++++ 27 file has vanished: "x"', '>f+++++++++', 'file has vanished: "x"'],
    ['>f+++++++++ 27 rsync error: (code 11)', '>f+++++++++', 'rsync error: (code 11)'],
    ['>f+++++++++ 27 Number of files: 1', '>f+++++++++', 'Number of files: 1'],
    ['>f+++++++++ 27    1 100%    0.00kB/s    0:00:00', '>f+++++++++', '   1 100%    0.00kB/s    0:00:00'],
  ])('are read from %j', (line, change, path) => {
    expect(parseRsyncLine(line)).toEqual([item(change, path)]);
  });

  it.each([
    'created directory b',
    'skipping non-regular file "dev"',
    '*** Skipping any contents from this failed directory ***',
    'sent 19 bytes  received 12 bytes  62.00 bytes/sec',
  ])('are not %j', (line) => expect(parseRsyncLine(line)).toEqual([{ kind: 'message', line }]));
});

describe('file errors', () => {
  it.each([
    [
      'rsync: [sender] send_files failed to open "/a/d/secret": Permission denied (13)',
      'sender',
      '/a/d/secret',
      'Permission denied (13)',
    ],
    [
      'rsync: [sender] send_files failed to open "/a/d/se\\#012cret": Permission denied (13)',
      'sender',
      '/a/d/se\\#012cret',
      'Permission denied (13)',
    ],
    [
      'rsync: [sender] send_files failed to open "/a/zo\\#303\\#253": Permission denied (13)',
      'sender',
      '/a/zoë',
      'Permission denied (13)',
    ],
    [
      'rsync: [sender] opendir "/a/q/no" failed: Permission denied (13)',
      'sender',
      '/a/q/no',
      'Permission denied (13)',
    ],
    [
      'rsync: [sender] change_dir "/nothere" failed: No such file or directory (2)',
      'sender',
      '/nothere',
      'No such file or directory (2)',
    ],
    [
      'rsync: [sender] readlink_stat("/a/x") failed: Permission denied (13)',
      'sender',
      '/a/x',
      'Permission denied (13)',
    ],
    [
      'rsync: [sender] read errors mapping "/a/x": Input/output error (5)',
      'sender',
      '/a/x',
      'Input/output error (5)',
    ],
    [
      'rsync: [sender] send_files failed to open "/x" (in mod): Permission denied (13)',
      'sender',
      '/x',
      'Permission denied (13)',
    ],
    [
      'rsync: [receiver] write failed on "/b/f3": No space left on device (28)',
      'receiver',
      '/b/f3',
      'No space left on device (28)',
    ],
    [
      'rsync: [generator] recv_generator: mkdir "/b/d26" failed: No space left on device (28)',
      'receiver',
      '/b/d26',
      'No space left on device (28)',
    ],
    [
      'rsync: [generator] failed to set times on "/b/.": Operation not permitted (1)',
      'receiver',
      '/b/.',
      'Operation not permitted (1)',
    ],
    [
      'rsync: [receiver] rename "/b/.x.AbCdEf" -> "x": Is a directory (21)',
      'receiver',
      '/b/.x.AbCdEf',
      'Is a directory (21)',
    ],
    [
      'rsync: [generator] link "/b/x" => a: b failed: Too many links (31)',
      'receiver',
      '/b/x',
      'Too many links (31)',
    ],
    [
      'rsync: [receiver] rsync_xal_set: fsetxattr("/b/.f1.4BfhkR","user.y") failed: Operation not supported (95)',
      'receiver',
      '/b/.f1.4BfhkR',
      'Operation not supported (95)',
    ],
    [
      'rsync: [receiver] rsync_xal_set: lsetxattr("/b/.f1.4BfhkR","user.with "q"") failed: Operation not supported (95)',
      'receiver',
      '/b/.f1.4BfhkR',
      'Operation not supported (95)',
    ],
    [
      'rsync: send_files failed to open "/a/old": Permission denied (13)',
      'unknown',
      '/a/old',
      'Permission denied (13)',
    ],
    // Names that look like the end of the sentence.
    [
      'rsync: [sender] send_files failed to open "/a/d/se"cret": x": Permission denied (13)',
      'sender',
      '/a/d/se"cret": x',
      'Permission denied (13)',
    ],
    [
      'rsync: [sender] send_files failed to open "/a/": No such file or directory (2)": Permission denied (13)',
      'sender',
      '/a/": No such file or directory (2)',
      'Permission denied (13)',
    ],
    [
      'rsync: [sender] send_files failed to open "/a/" -> "x": Permission denied (13)',
      'sender',
      '/a/" -> "x',
      'Permission denied (13)',
    ],
    [
      'rsync: [sender] send_files failed to open "/a/file has vanished: "x"": Permission denied (13)',
      'sender',
      '/a/file has vanished: "x"',
      'Permission denied (13)',
    ],
  ])('%s', (line, side, path, why) => {
    expect(parseRsyncLine(line)).toMatchObject([{ kind: 'fileError', error: { side, path, why } }]);
  });

  it.each([
    ['file has vanished: "/v/1gone"', '/v/1gone'],
    ['file has vanished: "/v/2"go\\#012ne": x"', '/v/2"go\\#012ne": x'],
    ['file has vanished: "/1gone" (in mod)', '/1gone'],
  ])('%s', (line, path) => {
    expect(parseRsyncLine(line)).toEqual([
      { kind: 'fileError', error: { side: 'sender', path, why: 'vanished' }, line },
    ]);
  });

  it('show no control character to the log', () => {
    const [event] = parseRsyncLine(
      'rsync: [sender] opendir "/a/\u001b[31m\u009b" failed: Permission denied (13)',
    );
    expect(event).toMatchObject({ error: { path: '/a/\\#033[31m\\#233' } });
    expect(JSON.stringify(event)).not.toMatch(/\\u00|\p{Cc}/u);
  });
});

describe('endings and statistics', () => {
  it.each([
    [
      'rsync error: some files/attrs were not transferred (see previous errors) (code 23) at main.c(1394) [sender=3.5.0]',
      23,
    ],
    [
      'rsync warning: some files vanished before they could be transferred (code 24) at main.c(1347) [sender=3.2.7]',
      24,
    ],
    ['rsync error: error in file IO (code 11) at receiver.c(657) [receiver=3.5.0]', 11],
    ['rsync error: received SIGINT, SIGTERM, or SIGHUP (code 20) at rsync.c(874) [sender=3.5.0]', 20],
  ])('%s', (line, code) => {
    expect(parseRsyncLine(line)).toEqual([{ kind: 'ending', code, line }]);
  });

  it.each([
    [
      'Number of files: 1,019 (reg: 12, dir: 4, link: 1, dev: 1, special: 1)',
      { fileCount: 1019, regularFiles: 12 },
    ],
    ['Number of created files: 17 (reg: 12, dir: 3)', { filesCreated: 17 }],
    ['Number of regular files transferred: 11', { filesTransferred: 11 }],
    ['Total file size: 5,368,709,156 bytes', { totalBytes: 5368709156 }],
    ['Total transferred file size: 5368709148 bytes', { transferredBytes: 5368709148 }],
    ['Total bytes sent: 5370020732', { sentBytes: 5370020732 }],
    ['Total bytes received: 303', { receivedBytes: 303 }],
  ])('%s', (line, stats) => {
    expect(parseRsyncLine(line)).toEqual([{ kind: 'stats', stats, line }]);
  });
});

describe('readableName', () => {
  it.each([
    ['plain \\ "x"', 'plain \\ "x"'],
    ['\\#303\\#253', 'ë'],
    ['\\#303\\#253\\#351', '\\#303\\#253\\#351'],
    ['\\#302\\#205', '\\#302\\#205'],
    ['\\#342\\#200\\#256txt', '\\#342\\#200\\#256txt'],
    ['\\#134#303#253', '\\#134#303#253'],
    ['\\#33', '\\#33'],
  ])('of %j is %j', (escaped, readable) => expect(readableName(escaped)).toBe(readable));
});
