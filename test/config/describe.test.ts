import { describe, expect, it } from 'vitest';
import { describeConfig } from '../../src/config/describe.js';
import { edKey, meaning, parsed } from './parsed.js';

describe('the settings in effect', () => {
  it.each([
    'hosts: []',
    'defaults: { backupdir: /b, connect_timeout: 30, schedule: "22:00", keep: { daily: 7 } }',
    'hosts: [{ name: web1, backupdir: /b, srcdirs: [/etc] }]',
    `
state_dir: /state
listen: [unix:/run/b.sock, "tcp://[::1]:4000", "tls://0.0.0.0:4001"]
tls: { cert: /t/c, key: /t/k, client_ca: /t/ca }
certificates: { alice: { role: operator, hosts: [web1] }, "Bob B.": { role: viewer } }
socket_group: backup
socket_role: operator
reflection: false
metrics_listen: localhost:9464
max_running: 9
max_running_per_disk: 2
nice: 3
stop_grace: 1.5s
log: { level: debug, format: json, file: /var/log/b.log }
mail: { from: b@x.example, transport: "smtps://[2001:db8::1]:465", user: u, password_file: /p, digest: "07:00", digest_to: [root] }
scripts: { pre_backup: /opt/pre, post_backup: /opt/post, pre_archive: /opt/pa, post_archive: "/o p", timeout: 90s }
defaults: { backupdir: /b, srcdirs: [/etc, "/a b, c"], email: [root, a@b.example], pre_command: "dump # all" }
hosts:
  - name: web1
    hostname: web1.example
    addresses: [192.0.2.1, "2001:db8::1"]
    host_key: ${edKey}
    pre_command: ""
    post_command: 'rm -f "$HOME/dump"; echo it''s gone'
    command_timeout: 1h
    excludes: ["*.tmp", "# x", "- y", "{z}", "yes", "14:00"]
    rsync_opts: -aH --exclude="a b"
    bandwidth_limit: 1.5m
    initiator: client
    schedule: never
    time_zone: Europe/Berlin
    windows: ["sat,sun 00:00-24:00"]
    idle_timeout: 0
    max_shrink: 0.25
    max_change: 1
    allow_empty: true
    mail: never
    mail_partial: false
    mail_reminder: 36h
  - { name: web2, schedule: ["8:00", "0 */4 * * *"], jitter: 90m, user: root, identity_file: /k, restore_identity_file: /r, timeout: 0 }
`,
  ])('are a file that gives the same %#', (text) => {
    const config = parsed(text);
    const described = parsed(describeConfig(config));
    expect(meaning(described)).toEqual(meaning(config));
  });

  it('are easy to read', () => {
    const text = describeConfig(
      parsed('hosts: [{ name: web1, backupdir: /b, srcdirs: [/etc], timeout: 90m }]'),
    );
    expect(text.split('\n')).toEqual(
      expect.arrayContaining(['    srcdirs: [/etc]', '    timeout: 90m', '    idle_timeout: 10m']),
    );
  });
});
