import { afterEach, expect, test } from 'vitest';
import {
  DifferenceState,
  DiffSnapshotsResponse,
  DiffSummary,
  File,
  FileChange,
  FileType,
  FileVersion,
  FileVersionState,
  FindFilesResponse,
  ListFilesResponse,
} from '../../../src/gen/busy/v1/browse.js';
import { startFakeDaemon, type Answers, type FakeDaemon } from './fake-daemon.js';
import { cli, type Result } from './harness.js';
import { sampleSnapshot } from './samples.js';

let daemon: FakeDaemon | undefined;

afterEach(async () => {
  await daemon?.close();
  daemon = undefined;
});

async function ask(argv: string[], answers: Answers): Promise<Result> {
  daemon = await startFakeDaemon(answers);
  return cli(argv, { endpoint: daemon.endpoint });
}

const seconds = new Date(2026, 10, 22, 20, 0, 5).getTime() / 1000;

function file(path: string, changes: Partial<File> = {}): File {
  const base = { path, type: FileType.FILE, mode: 0o644, size: 1536, mtimeSeconds: seconds };
  return File.create({ ...base, ...changes });
}

const resolved: Answers = { getSnapshot: (_call, answer) => answer(null, { snapshot: sampleSnapshot() }) };

test('ls goes on to the last page, and shows what kind each entry is', async () => {
  const pages = [
    [
      file('/etc/ssl', { type: FileType.DIRECTORY, mode: 0o1777 }),
      file('/etc/mtab', { type: FileType.SYMLINK, mode: 0o777, target: '../proc\u202e' }),
    ],
    [
      file('/etc/sudo', { mode: 0o4755, uid: 1000, gid: 50 }),
      file('/etc/sda', { type: FileType.BLOCK_DEVICE, target: '8:1' }),
      file('/etc/x', { type: FileType.UNKNOWN, error: 'EACCES' }),
    ],
  ];
  const { stdout, exitCode } = await ask(['ls', 'web1', '/etc'], {
    ...resolved,
    listFiles: ({ request }, answer) => {
      const page = Number(request.pageToken || '0');
      const nextPageToken = page === 0 ? '1' : '';
      answer(null, ListFilesResponse.create({ files: pages[page] ?? [], nextPageToken }));
    },
  });
  expect(exitCode).toBe(0);
  expect(stdout).toMatchInlineSnapshot(`
    "drwxrwxrwt  0:0                 -  2026-11-22 20:00:05  ssl
    lrwxrwxrwx  0:0                 -  2026-11-22 20:00:05  mtab -> ../proc\\u{202e}
    -rwsr-xr-x  1000:50       1.5 KiB  2026-11-22 20:00:05  sudo
    brw-r--r--  0:0                 -  2026-11-22 20:00:05  sda  (device 8:1)
    ?rw-r--r--  0:0                 -  2026-11-22 20:00:05  x  (cannot be read: EACCES)
    "
  `);
});

test('find prints what is found, and says what could not be searched', async () => {
  const { stdout, stderr, exitCode } = await ask(['find', 'web1', '*.conf', '--type', 'file'], {
    findFiles: (call) => {
      expect(call.request).toMatchObject({ host: 'web1', snapshot: '', types: [FileType.FILE] });
      const found = [{ snapshot: '2026-11-22_19-51-00f', file: file('/etc/a.conf') }];
      const skipped = [{ snapshot: '2026-11-21_19-51-00f', message: 'Its files are gone.' }];
      call.write(FindFilesResponse.create({ found, skipped }));
      call.end();
    },
  });
  expect(exitCode).toBe(1);
  expect(stderr).toContain('2026-11-21_19-51-00f was not searched: Its files are gone.');
  expect(stdout).toContain(
    '2026-11-22_19-51-00f  -rw-r--r--  0:0           1.5 KiB  2026-11-22 20:00:05  /etc/a.conf',
  );
});

test('history hides what did not change', async () => {
  const versions = [
    FileVersionState.FIRST,
    FileVersionState.SAME,
    FileVersionState.CHANGED,
    FileVersionState.GONE,
  ];
  const { stdout } = await ask(['history', 'web1', '/etc/hosts'], {
    listFileVersions: (call) => {
      call.write({
        versions: versions.map((state) =>
          FileVersion.create({
            state,
            snapshot: sampleSnapshot(),
            file: state === FileVersionState.GONE ? undefined : file('/etc/hosts'),
            changes: state === FileVersionState.CHANGED ? [FileChange.MODE, FileChange.OWNER] : [],
          }),
        ),
      });
      call.end();
    },
  });
  expect(stdout.match(/first seen|same|changed: mode, owner|gone/g)).toEqual([
    'first seen',
    'changed: mode, owner',
    'gone',
  ]);
  expect(stdout).toContain('in 1 more');
});

test('diff takes a path in place of a second snapshot, and ends with a summary', async () => {
  const { stdout } = await ask(['diff', 'web1', '/etc', '--summary'], {
    diffSnapshots: (call) => {
      expect(call.request).toEqual({
        host: 'web1',
        snapshot: '',
        otherHost: '',
        otherSnapshot: '',
        path: '/etc',
      });
      const differences = [
        { state: DifferenceState.ADDED, before: undefined, after: file('/etc/a'), changes: [] },
      ];
      call.write(DiffSnapshotsResponse.create({ differences }));
      const summary = DiffSummary.create({ snapshot: 'a', otherSnapshot: 'b', added: 1, addedBytes: 1536 });
      call.write(DiffSnapshotsResponse.create({ summary }));
      call.end();
    },
  });
  expect(stdout).toBe(
    'a -> b: 1 added (1.5 KiB), 0 removed (0 B), 0 changed (0 B -> 0 B), 0 only in mode, owner or time, 0 the same.\n',
  );
});

test.each<[string[], object]>([
  [
    ['--as-of', '2026-11-01', '/etc'],
    { snapshot: 'as of 1', otherHost: 'web1', otherSnapshot: '', path: '/etc' },
  ],
  [
    ['--as-of', '2026-11-01', '--and', '2026-11-15'],
    { snapshot: 'as of 1', otherHost: 'web1', otherSnapshot: 'as of 15', path: '' },
  ],
  [
    ['web2', '/etc', '--as-of', '2026-11-01', '--and', '2026-11-15'],
    { snapshot: 'as of 1', otherHost: 'web2', otherSnapshot: 'as of 15', path: '/etc' },
  ],
  [['web1/b', '--as-of', '2026-11-01'], { snapshot: 'as of 1', otherHost: 'web1', otherSnapshot: 'b' }],
])('diff %j compares what was there then', async (argv, expected) => {
  let asked: object = {};
  const { exitCode, stderr } = await ask(['diff', 'web1', ...argv], {
    getSnapshot: ({ request: { host, asOf } }, answer) => {
      const snapshot = { ...sampleSnapshot(), host, name: `as of ${asOf?.getDate()}` };
      answer(null, { snapshot });
    },
    diffSnapshots: (call) => {
      asked = call.request;
      call.end();
    },
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(asked).toMatchObject({ host: 'web1', ...expected });
});

test.each([
  [['ls', 'web1/a/b']],
  [['ls', 'web1/a', '--as-of', '2026-11-01']],
  [['ls', 'web1', '--as-of', 'yesterday']],
  [['find', 'web1', '*', '--type', 'folder']],
  [['diff', 'web1', 'web1/a/b']],
  [['diff', 'web1', '--and', '2026-11-15']],
  [['diff', 'web1/a', '--as-of', '2026-11-01']],
  [['diff', 'web1', 'web1/b', '--as-of', '2026-11-01', '--and', '2026-11-15']],
  [['diff', 'web1', '--as-of', '2026-11-01', '--and', 'later']],
])('%j is wrong usage', async (argv) => {
  expect((await ask(argv, {})).exitCode).toBe(2);
});
