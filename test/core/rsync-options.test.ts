import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { allowedFlags, allowedLetters, allowedValues } from '../../src/core/rsync-option-table.js';
import { checkRsyncOptions, keepsTimes } from '../../src/core/rsync-options.js';

const run = promisify(execFile);

describe('what may be used', () => {
  it.each([
    ['the default', '-aHAXS', '--numeric-ids'],
    ['single letters', '-a', '-H', '-x', '-xx', '-O', '-J', '-W', '-z', '-c', '-m', '-L', '-k', '-y'],
    [
      'long names',
      '--archive',
      '--hard-links',
      '--acls',
      '--fake-super',
      '--copy-unsafe-links',
      '--no-whole-file',
    ],
    ['negations', '-a', '--no-perms', '--no-D', '--no-o', '--no-g', '--no-compress'],
    ['sizes', '-a', '--max-size=1.5m', '--min-size=10', '--max-size=2GiB', '--max-size=4K-1'],
    [
      'patterns',
      '-a',
      '--exclude=*.tmp',
      '--include=*/',
      '--exclude=with space',
      '--exclude=- odd',
      '--exclude=a=b',
    ],
    [
      'filters',
      '-a',
      '--filter=- *.tmp',
      '--filter=+_/keep',
      '--filter=-/ /etc',
      '--filter=exclude,r a',
      '--filter=H x',
    ],
    [
      'changes of owner and mode',
      '-a',
      '--chmod=D755,F644',
      '--chmod=go-w',
      '--chown=a:b',
      '--chown=:b',
      '--usermap=0-9:a,*:b',
    ],
    ['numbers', '-a', '--compress-level=9', '--modify-window=-1'],
  ])('%s', (_, ...options) => {
    expect(checkRsyncOptions(options)).toEqual([]);
  });

  it('is known to the rsync of this machine, each option of it', async () => {
    const options = [
      ...Array.from(allowedLetters, (letter) => `-${letter}`),
      ...Array.from(allowedFlags, (name) => `--${name}`),
      ...Array.from(allowedValues, ([name, rule]) => `--${name}=${rule.example}`),
    ];
    expect(checkRsyncOptions(options)).toEqual([]);
    // rsync reads all options before it answers a --version; these three exclude one another.
    for (const excluded of [/^--chown/, /^--(user|group)map/]) {
      await run('rsync', [...options.filter((option) => !excluded.test(option)), '--version']);
    }
  });
});

describe('what is refused, with the reason', () => {
  it.each([
    ['--inplace', /older snapshots share/],
    ['--append', /older snapshots share/],
    ['--append-verify', /older snapshots share/],
    ['--write-devices', /older snapshots share/],
    ['-aU', /older snapshots share/],
    ['-aK', /outside/],
    ['--keep-dirlinks', /outside/],
    ['--delete', /begins empty/],
    ['--delete-excluded', /begins empty/],
    ['--del', /begins empty/],
    ['--link-dest=/x', /where and how a snapshot is written/],
    ['--partial', /where and how a snapshot is written/],
    ['--temp-dir=/tmp', /where and how a snapshot is written/],
    ['-ab', /where and how a snapshot is written/],
    ['-aT/tmp', /where and how a snapshot is written/],
    ['-aR', /to its own path/],
    ['--no-recursive', /copied whole/],
    ['-e', /connection/],
    ['-aessh', /connection/],
    ['--rsh=ssh -o X', /connection/],
    ['--rsync-path=x', /connection/],
    ['-M--fake-super', /connection/],
    ['--remote-option=--log-file=/x', /connection/],
    ['--blocking-io', /connection/],
    ['--bwlimit=5', /bandwidth_limit/],
    ['--remove-source-files', /delete files on the host/],
    ['--files-from=/etc/shadow', /files of the server/],
    ['--exclude-from=/etc/shadow', /files of the server/],
    ['--log-file=/etc/x', /files of the server/],
    ['--write-batch=/x', /files of the server/],
    ['--daemon', /files of the server/],
    ['--config=/x', /files of the server/],
    ['-aF', /files of the server/],
    ['-aC', /files of the server/],
    ['--dry-run', /copies nothing/],
    ['-an', /copies nothing/],
    ['-aP', /what rsync prints/],
    ['-avh', /what rsync prints/],
    ['--info=progress2', /what rsync prints/],
    ['--out-format=%n', /what rsync prints/],
    ['-f', /--filter=/],
    ['--size-only', /as it is now/],
    ['--whatever', /only options that say what is copied/],
    ['--no-archive', /only options/],
    ['--constructor', /only options/],
    ['--', /no option could follow/],
    ['---archive', /only options/],
    ['-a=x', /only options/],
    ['--archive=x', /takes no value/],
    ['--max-size=big', /a size/],
    ['--max-size=', /a size/],
    ['--compress-level=x', /a number/],
    ['--chmod=$(id)', /modes/],
    ['--usermap=a', /FROM:TO/],
    ['--exclude=', /a pattern/],
    ['--exclude=!', /cancel the excludes/],
    ['--exclude=a\nb', /line break/],
    ['-a\0', /line break or NUL/],
    ['/etc', /no option/],
    ['-', /no option/],
    ['', /no option/],
    ['host::module', /no option/],
  ])('%j', (option, reason) => {
    const problems = checkRsyncOptions(['-a', option]);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).toMatch(reason);
  });

  it.each([
    '. /etc/shadow',
    'merge /etc/shadow',
    ': .rules',
    'dir-merge .rules',
    '.n /x',
    '!',
    'clear',
    '-C',
    '-,C',
    '- ',
    '.+ /x',
  ])('the filter %j', (rule) => {
    expect(checkRsyncOptions(['-a', `--filter=${rule}`])).toEqual([
      expect.stringMatching(/merge rules would read files/),
    ]);
  });

  it('a value in a word of its own, once', () => {
    expect(checkRsyncOptions(['-a', '--exclude', 'foo'])).toEqual([
      'has --exclude without its value, which must follow in the same word: "--exclude=*.tmp"',
    ]);
  });

  it('each letter of a word, up to a value', () => {
    expect(checkRsyncOptions(['-anvessh'])).toEqual([
      expect.stringMatching(/^has -n: /),
      expect.stringMatching(/^has -v: /),
      expect.stringMatching(/^has -e: /),
    ]);
  });

  it.each([[[]], [['-lptgoD']], [['--numeric-ids', '--exclude=-a']]])(
    '%j, which copies no directory',
    (options) => {
      expect(checkRsyncOptions(options)).toEqual([
        'has neither -a nor -r, without which rsync copies no directory',
      ]);
    },
  );
});

describe('times', () => {
  it.each([
    [['-aHAXS', '--numeric-ids'], true],
    [['-rlt'], true],
    [['--archive'], true],
    [['-r', '--times'], true],
    [['-rl', '--numeric-ids'], false],
    [['-a', '--no-times'], false],
    [['-a', '--no-t', '-t'], true],
  ])('%j', (options, expected) => expect(keepsTimes(options)).toBe(expected));
});
