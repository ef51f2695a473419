import { describe, expect, it } from 'vitest';
import { edKey, errorOf, hostFile } from './parsed.js';

describe('a bad file', () => {
  it('is refused with all its problems at their lines', () => {
    const text = `state_dir: var/busy
max_runing: 4
listen: tcp://0.0.0.0:4000
log:
  level: loud
defaults:
  port: "22"
hosts:
  - name: Web1
    backupdir: /srv/backup
    srcdirs: [/etc, home, /etc/]
  - name: db1
    backupdir: /srv/../etc
  - name: db1
    backupdir: /srv/backup
    srcdirs: [/etc]
    rsync_opts: -aH --delete --inplace
`;
    expect(errorOf(text).message.split('\n')).toEqual([
      'busy.yaml:1:12: state_dir: is the relative path "var/busy"; allowed: an absolute directory',
      expect.stringMatching(
        /^busy\.yaml:2:1: max_runing: is no setting; did you mean max_running\?; allowed: state_dir, /,
      ),
      expect.stringMatching(
        /^busy\.yaml:3:9: listen: can be reached by other machines, so it needs TLS; allowed: set tls with cert and key \(busyd make-cert /,
      ),
      'busy.yaml:5:10: log.level: is "loud"; allowed: error, warn, info or debug',
      'busy.yaml:7:9: defaults.port: is "22", not a number; allowed: a whole number from 1 to 65535',
      expect.stringMatching(
        /^busy\.yaml:9:11: hosts\[0\]\.name: is "Web1"; allowed: at most 100 lower-case letters/,
      ),
      expect.stringMatching(/^busy\.yaml:11:21: hosts\[0\]\.srcdirs\[1\]: is the relative path "home"; /),
      expect.stringMatching(
        /^busy\.yaml:12:5: hosts\[1\]\.srcdirs: is missing, here and in defaults; allowed: a list of/,
      ),
      expect.stringMatching(
        /^busy\.yaml:13:16: hosts\[1\]\.backupdir: is "\/srv\/\.\.\/etc", which holds "\.\."/,
      ),
      expect.stringMatching(/^busy\.yaml:14:11: hosts\[2\]\.name: is "db1", as another host is called; /),
      expect.stringMatching(
        /^busy\.yaml:17:17: hosts\[2\]\.rsync_opts: has --delete: nothing is to be deleted/,
      ),
      expect.stringMatching(
        /^busy\.yaml:17:17: hosts\[2\]\.rsync_opts: has --inplace: .*older snapshots share/,
      ),
    ]);
  });

  it.each([
    ['', /allowed: a map of settings/],
    ['- a', /is a list, not a map of settings/],
    ['a: [', /busy\.yaml:\d+:\d+: this is not YAML: /],
    ['log:\n\tlevel: info', /busy\.yaml:2:\d+: this is not YAML: /],
    ['max_running: 1\nmax_running: 2', /busy\.yaml:2:1: this key stands there twice/],
    ['state_dir: !secret /x', /this is not YAML: Unresolved tag/],
    ['state_dir: /x\n---\nstate_dir: /y', /this is not YAML: /],
    ['state_dir: *x', /^busy\.yaml: cannot be understood: Unresolved alias/],
    [
      `a: &a [1]\nb: &b [${'*a,'.repeat(60)}]\nc: [${'*b,'.repeat(60)}]`,
      /cannot be understood: Excessive alias count/,
    ],
    ['state_dir:', /state_dir: has no value; /],
    ['state_dir: 5', /state_dir: is the number 5, not a text/],
    ['state_dir: ~/busy', /~ stands for nothing here/],
    ['state_dir: "/a\\nb"', /control character/],
    ['max_running: 0', /max_running: is the number 0; allowed: a whole number from 1 to 1000/],
    ['max_running: 1.5', /max_running: is the number 1.5/],
    ['max_running: yes', /max_running: is "yes", not a number/],
    ['executors: 300', /from 1 to 256/],
    ['stop_grace: 5 minutes', /is "5 minutes", which is no duration; allowed: a duration from 0 to 7d/],
    ['stop_grace: -5', /is no duration/],
    ['stop_grace: 8d', /out of range/],
    ['backupdir: /x', /backupdir: is in the wrong place: it belongs below a host or defaults/],
    ['maxRunning: 4', /did you mean max_running\?/],
    ['zzzz: 4', /zzzz: is no setting; allowed: state_dir/],
    ['constructor: 4', /constructor: is no setting; allowed: state_dir/],
    ['database: sqlite:busy.db', /relative path/],
    ['database: ":memory:"', /begins neither with sqlite: nor with mysql:/],
    ['listen: []', /listen: is empty/],
    ['listen: 4000', /listen: is the number 4000, not a list/],
    ['listen: 127.0.0.1:4000', /which is no endpoint; allowed: one or a list of unix:/],
    ['listen: tcp://backup.example:4000', /needs TLS/],
    ['listen: [unix:/a, tls://127.0.0.1:1]', /listen\[1\]: can be reached .* needs TLS/],
    ['listen: tcp://:4000', /names no address/],
    ['listen: tcp://256.0.0.1:4000', /names no address/],
    ['listen: "tcp://[1.2.3.4]:4000"', /names no address/],
    ['tls: { cert: /c }', /tls\.cert: is useless without key; allowed: both/],
    ['tls: { cert: c, key: /k }', /tls\.cert: is the relative path/],
    ['tls: { ca: /c }', /tls\.ca: is no setting; allowed: cert, key, client_ca/],
    ['certificates: { alice: { role: admin } }', /certificates: has no effect without client_ca in tls/],
    [
      'certificates: { alice: { role: root } }',
      /certificates\.alice\.role: is "root"; allowed: a map from the name/,
    ],
    ['certificates: { alice: { role: admin, hosts: [] } }', /certificates\.alice\.hosts: is empty/],
    ['socket_role: root', /socket_role: is "root"; allowed: viewer, operator or admin/],
    ['metrics_listen: "9464"', /metrics_listen: is "9464", which is no address with a port.*allowed: 127/],
    [
      'metrics_listen: 192.0.2.1:9464',
      /metrics_listen: .* which other machines can reach.*allowed: 127.0.0.1:PORT .*busy metrics/,
    ],
    ['reflection: maybe', /reflection: is "maybe".*allowed: true or false/],
    ['listen: tcp://127.0.0.1:70000', /ports end at 65535/],
    ['listen: [unix:/a, unix:/a/]', /listen\[1\]: stands there twice/],
    [`listen: unix:/${'a'.repeat(120)}`, /too long for a socket/],
    ['scripts: { pre_backup: pre-backup }', /scripts\.pre_backup: is the relative path "pre-backup"/],
    ['scripts: { post-backup: /x }', /scripts\.post-backup: is no setting; did you mean post_backup\?/],
    ['scripts: { timeout: 0 }', /scripts\.timeout: .*out of range; allowed: a duration from 1s to 1d/],
    ['post_backup: /x', /post_backup: is in the wrong place: it belongs below scripts/],
    ['defaults: { pre_command: "a\\nb" }', /pre_command: holds a line break/],
    ['defaults: { command_timeout: 2d }', /command_timeout: is "2d", which is out of range/],
    ['log: { file: busy.log }', /log\.file: is the relative path/],
    [
      'log: debug',
      /log: is "debug", not a map of settings; allowed: a map with level, format, file and syslog/,
    ],
    ['hosts: web1', /hosts: is "web1", not a list/],
    ['hosts: [web1]', /hosts\[0\]: is "web1", not a map of settings/],
    ['hosts: [{ backupdir: /b, srcdirs: [/a] }]', /hosts\[0\]\.name: is missing; allowed: at most 100/],
    [
      'defaults: { name: default }',
      /defaults\.name: belongs to a single host; allowed: no name in defaults: leave/,
    ],
    ['defaults: { hostname: None }', /defaults\.hostname: is "None": leave the line out/],
  ])('%j', (text, message) => {
    expect(errorOf(text).message).toMatch(message);
  });

  it.each([
    ['hostname: "a b"', /is "a b"; allowed: what `hostname` prints/],
    ['addresses: []', /addresses: is empty/],
    ['addresses: [root@web1]', /the user belongs into user/],
    ['addresses: ["web1:22"]', /the port belongs into port/],
    ['addresses: [-oProxyCommand=x]', /addresses\[0\]: is "-oProxyCommand=x"/],
    ['port: 70000', /from 1 to 65535/],
    ['user: "-x"', /user: is "-x"/],
    ['host_key: ssh-dss AAAA', /host_key: is "ssh-dss AAAA"/],
    ['host_key: ssh-ed25519 AAAAC3NzaC1lZDI1', /is damaged/],
    [`host_key: ${edKey.replace('ssh-ed25519', 'ssh-rsa')}`, /is damaged: what follows ssh-rsa/],
    [`host_key: web1 ${edKey}`, /leave out what stands before ssh-ed25519/],
    ['host_key: SHA256:short', /43 characters/],
    ['host_key: MD5:00:11', /too weak/],
    ['srcdirs: /etc', /srcdirs: is "\/etc", not a list/],
    ['srcdirs: []', /srcdirs: is empty/],
    ['srcdirs: [/a, /a/]', /srcdirs\[1\]: stands there twice/],
    ['srcdirs: [/a/../b]', /holds "\.\."/],
    ['srcdirs: [""]', /srcdirs\[0\]: is empty/],
    ['excludes: ["!"]', /would cancel all patterns/],
    ['excludes: ["a\\nb"]', /control character/],
    ['initiator: host', /is "host"; allowed: server or client/],
    ['rsync_opts: "-a --exclude=\'x"', /rsync_opts: has a quote that is not closed/],
    ['rsync_opts: ""', /has neither -a nor -r/],
    ['rsync_opts: [-a, 5]', /rsync_opts\[1\]: is the number 5, not a text/],
    ['rsync_path: "rsync; reboot"', /rsync_path\[0\]: is "rsync;"/],
    ['rsync_path: []', /rsync_path: is empty/],
    ['bandwidth_limit: fast', /is no rate/],
    ['bandwidth_limit: 0.1', /slower than rsync/],
    ['jobs_at_once: 17', /from 1 to 16/],
    ['max_age_full: -1', /a number of days/],
    ['max_age_full: .inf', /a number of days/],
    ['idle_timeout: 0.5', /out of range; allowed: a duration from 1s to 7d, or 0 for never/],
    ['connect_timeout: 0', /out of range/],
    ['srcdir: [/etc]', /srcdir: is no setting; did you mean srcdirs\?/],
    ['max_running: 3', /it belongs to the top level/],
  ])('with the host setting %s', (written, message) => {
    expect(errorOf(hostFile(written)).message).toMatch(message);
  });

  it('never shows a password', () => {
    expect(
      errorOf('database: mysql://busy:geheim@db/busy\nstate_dir: x://a:geheim@b\nport: http://a:geheim@b')
        .message,
    ).not.toMatch(/geheim/);
  });

  it('tells its problems as data too', () => {
    expect(errorOf('max_running: 0').problems).toEqual([
      {
        line: 1,
        column: 14,
        key: 'max_running',
        wrong: 'is the number 0',
        allowed: 'a whole number from 1 to 1000',
      },
    ]);
  });
});
