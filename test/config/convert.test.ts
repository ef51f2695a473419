import { describe, expect, it } from 'vitest';
import { convertConfig } from '../../src/config/convert.js';
import { ConfigError } from '../../src/config.js';
import { parsed } from './parsed.js';

const original = `# BUSY configuration
mysql_login = "busy";
mysql_password = "geheim";

default: {
  backupdir = "/backup";
  name = "default";
  hostname = "None";
  user = "backup";
  email = "admin@example.org";
  srcdirs = ["/etc", "/home/"];
  excludes = [ "*.tmp", "*~", # caches too
               ".cache" ];
  schedule = ("14:00", "20:00");
  max_incr = 12;
  max_age_full = 14.0;
  max_age_incr = 0.5;
  rsync_opts = "-xaHD";
  max_age = 30;
  archivedir = "/archive";
};

hosts = (
  { name = "web1"; hostname = "web1.example"; },
  { name = "Laptop Anna"; hostname = "laptop"; ips = ("192.0.2.7", "192.0.2.8");
    srcdirs = "/home/anna, /etc,"; excludes = []; rsync_opts = "-a --delete"; max_age_full = 30 }
);
`;

describe('a configuration of the original BUSY', () => {
  it('becomes one that BUSY takes', () => {
    const { hosts, database } = parsed(convertConfig(original, '/etc/busy/busy.conf'));
    expect(database).toMatchObject({ host: 'localhost', user: 'busy', password: 'geheim', name: 'busy' });
    const common = {
      backupdir: '/backup',
      user: 'backup',
      mail: { to: ['admin@example.org'] },
      schedule: { slots: ['14:00', '20:00'] },
      maxIncr: 12,
      maxAge: 30,
      archivedir: '/archive',
      maxAgeIncr: 0.5,
    };
    expect(hosts).toMatchObject([
      {
        ...common,
        name: 'web1',
        hostname: 'web1.example',
        addresses: ['web1.example'],
        srcdirs: ['/etc', '/home'],
        excludes: ['*.tmp', '*~', '.cache'],
        rsyncOpts: ['-xaHD'],
        maxAgeFull: 14,
      },
      {
        ...common,
        name: 'laptop-anna',
        hostname: 'laptop',
        addresses: ['192.0.2.7', '192.0.2.8'],
        srcdirs: ['/home/anna', '/etc'],
        excludes: [],
        rsyncOpts: ['-aHAXS', '--numeric-ids'],
        maxAgeFull: 30,
      },
    ]);
  });

  it('names what was not carried over, with its line', () => {
    const yaml = convertConfig(original, '/etc/busy/busy.conf');
    expect(notesOf(yaml)).toEqual([
      expect.stringMatching(/^\(line 2\): the original had only its web page in MySQL/),
      expect.stringMatching(
        /^\(line 25\): this host was called "Laptop Anna", .*; laptop-anna is a proposal/,
      ),
      expect.stringMatching(
        /^\(line 26\): rsync_opts is "-a --delete", which has --delete: nothing is to be deleted/,
      ),
    ]);
    expect(notesOf(yaml).join()).not.toContain('geheim');
    expect(yaml).toContain('# host_key: SHA256:...  (busy enroll web1 pins it)');
    expect(yaml).toContain('busy enroll --known-hosts /root/.ssh/known_hosts');
  });

  it.each([
    ['hosts: { web1: { hostname = "a" }, web2: { name = "two" } };', ['web1', 'two']],
    ['hosts = { name = "web1"; hostname = "a"; };', ['web1']],
    ['hosts = ({ hostname = "Web1.Example" }, { }, { name = "..." });', ['web1.example', 'host2', 'host3']],
    ['hosts = ({ name = "WEB" }, { name = "web" }, { name = "Web" });', ['web-1', 'web', 'web-3']],
    ['hosts = ({ name = "web" }, { name = "web" });', ['web']],
    ['hosts = ("web1", { name = "web2" });', ['web2']],
    ['hosts = ();', []],
    ['', []],
  ])('takes the hosts of %s', (written, names) => {
    const text = `defaults = { backupdir = "/b"; srcdirs = ("/etc"); };\n${written}`;
    expect(parsed(convertConfig(text, 'busy.conf')).hosts.map((host) => host.name)).toEqual(names);
  });

  it('leaves a host that lacks something as a comment that can be completed', () => {
    const yaml = convertConfig('hosts = ({ name = "web1"; srcdirs = ("/etc"); });', 'busy.conf');
    expect(parsed(yaml).hosts).toEqual([]);
    expect(notesOf(yaml)).toEqual(['(line 1): this host lacks backupdir. Add that and remove the #']);
    const completed = yaml
      .replace('hosts: []', 'defaults: { backupdir: /b }\nhosts:')
      .replace(/^ {2}# (?=- | {2})/gm, '  ');
    expect(parsed(completed).hosts).toMatchObject([{ name: 'web1', backupdir: '/b', srcdirs: ['/etc'] }]);
  });

  it('says where the hosts are when the file has none', () => {
    const notes = notesOf(convertConfig('mysql_login = "a"; mysql_password = "b";', 'busy.conf'));
    expect(notes[1]).toMatch(/^: the file names no hosts.*MySQL/);
  });

  it.each([
    [
      'srcdirs = ("/etc", "home", 5)',
      { srcdirs: ['/etc'] },
      [/srcdirs has "home".*relative path/, /srcdirs has 5/],
    ],
    ['srcdirs = ("/etc", "/etc/")', { srcdirs: ['/etc'] }, []],
    [
      'srcdirs = ("/etc"); schedule = "8:00, 25:00"',
      { schedule: { slots: ['8:00'] } },
      [/schedule has "25:00"/],
    ],
    [
      'srcdirs = ("/etc"); schedule = { a = 1 }',
      { schedule: { slots: [] } },
      [/schedule is a group of settings, not a list/],
    ],
    ['srcdirs = ("/etc"); max_incr = "5"', { maxIncr: 5 }, []],
    ['srcdirs = ("/etc"); max_incr = 5.5', { maxIncr: 10 }, [/max_incr is the number 5\.5/]],
    ['srcdirs = ("/etc"); max_age_full = 7L', { maxAgeFull: 7 }, []],
    ['srcdirs = ("/etc"); email = ""; user = "";', { user: 'root', mail: { to: [] } }, []],
    [
      'srcdirs = ("/etc"); email = "root, Anna <anna@x>"',
      { mail: { to: ['root'] } },
      [/email has "Anna <anna@x>"/],
    ],
    [
      'srcdirs = ("/etc"); hostname = "root@web1"',
      { hostname: '' },
      [/hostname is "root@web1": the user belongs/],
    ],
    ['srcdirs = ("/etc"); backupdir = "backup"', { backupdir: '/b' }, [/backupdir is the relative path/]],
    [
      'srcdirs = ("/etc"); port = 22; x = "a\\nb: c"',
      { port: 22 },
      [/port is no setting/, /x is no setting/],
    ],
    [
      'srcdirs = ("/etc"); excludes = ("a\\nhosts: []", "# b", "- c", "yes")',
      { excludes: ['# b', '- c', 'yes'] },
      [/excludes has "a\\nhosts/],
    ],
  ])('keeps of %s what is good', (written, expected, notes) => {
    const yaml = convertConfig(
      `default = { backupdir = "/b" }; hosts = ({ name = "web1"; ${written} });`,
      'busy.conf',
    );
    expect(parsed(yaml).hosts).toMatchObject([expected]);
    expect(notesOf(yaml)).toEqual(notes.map((note): unknown => expect.stringMatching(note)));
  });

  it('is refused with the place when it is no such file', () => {
    expect(() => convertConfig('a = 1;\nb = [1;', 'busy.conf')).toThrow(
      new ConfigError('busy.conf', [
        { line: 2, column: 7, key: '', wrong: '";" is not expected here', allowed: 'a comma or ]' },
      ]),
    );
  });
});

function notesOf(yaml: string): string[] {
  return [...yaml.matchAll(/^ *# NOTE ?(.*)$/gm)].map(([, note = '']) => note);
}
