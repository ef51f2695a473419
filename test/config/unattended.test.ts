import { describe, expect, it } from 'vitest';
import { errorOf, hostFile, parsed, parsedHost } from './parsed.js';

describe('settings for unattended work', () => {
  it.each([
    ['schedule: "14:00"', { schedule: { slots: ['14:00'] } }],
    ['schedule: ["8:05", "0 */4 * * *"]', { schedule: { slots: ['8:05', '0 */4 * * *'] } }],
    ['schedule: [14:00, 20:00]', { schedule: { slots: ['14:00', '20:00'] } }],
    ['schedule: []', { schedule: { slots: [] } }],
    ['schedule: never', { schedule: { slots: 'never' } }],
    ['time_zone: America/New_York', { schedule: { timeZone: 'America/New_York' } }],
    ['catch_up: 0', { schedule: { catchUpMs: 0 } }],
    ['catch_up: 7d', { schedule: { catchUpMs: 604_800_000 } }],
    ['jitter: 30m', { schedule: { jitterMs: 1_800_000 } }],
    ['windows: "22:00-06:00"', { windows: ['22:00-06:00'] }],
    [
      'windows: ["sat,sun 00:00-24:00", "mon-fri 9:00 - 17:30"]',
      { windows: ['sat,sun 00:00-24:00', 'mon-fri 9:00 - 17:30'] },
    ],
    ['retry_after: 1s', { retryAfterMs: 1000 }],
    ['alert_after: 1.5', { alertAfter: 1.5 }],
    ['timeout: 0', { timeoutMs: 0 }],
    ['timeout: 7d', { timeoutMs: 604_800_000 }],
    ['email: admin@example.org', { mail: { to: ['admin@example.org'] } }],
    ['email: [root, a.b+c@mail.example]', { mail: { to: ['root', 'a.b+c@mail.example'] } }],
    ['mail: every_failure', { mail: { when: 'every_failure' } }],
    ['mail_partial: false', { mail: { includesPartial: false } }],
    ['mail_reminder: 0', { mail: { reminderMs: 0 } }],
    ['keep: {}', { keep: null }],
    [
      'keep: {last: 3, daily: 14, yearly: 2}',
      { keep: { last: 3, daily: 14, weekly: 0, monthly: 0, yearly: 2 } },
    ],
  ])('takes the host setting %s', (written, expected) => {
    expect(parsedHost(written)).toMatchObject(expected);
  });

  it.each([
    ['schedule: ["25:00"]', /schedule\[0\]: is "25:00"; allowed: never, or a list of times of day/],
    ['schedule: ["14:00", soon]', /schedule\[1\]: is "soon"/],
    ['schedule: "* * *"', /schedule\[0\]: is "\* \* \*"/],
    ['schedule: ["61 * * * *"]', /schedule\[0\]: is "61/],
    ['schedule: 840', /schedule: is the number 840, not a list/],
    [
      'time_zone: Mars/Base',
      /time_zone: is "Mars\/Base", which this system does not know; allowed: the name of/,
    ],
    ['time_zone: ""', /time_zone: is ""/],
    ['catch_up: 8d', /catch_up: is "8d", which is out of range; allowed: a duration from 0 to 7d/],
    ['jitter: 25h', /out of range; allowed: a duration from 0 to 1d/],
    ['windows: ["22:00"]', /windows\[0\]: is "22:00"; allowed: a list of windows such as/],
    ['windows: ["24:00-06:00"]', /windows\[0\]/],
    ['windows: ["22:00-25:00"]', /windows\[0\]/],
    ['windows: ["sut 22:00-06:00"]', /windows\[0\]/],
    ['retry_after: 0', /out of range; allowed: a duration from 1s to 1d/],
    ['alert_after: -1', /alert_after: .*allowed: a number of days/],
    ['timeout: 30s', /out of range; allowed: a duration from 1m to 7d, or 0 for never/],
    [
      'email: "Admin <admin@example.org>"',
      /email\[0\]: is "Admin <admin@example.org>"; allowed: one mail address/,
    ],
    ['email: "a@b.example, c@d.example"', /email\[0\]: is "a@b/],
    ['email: "a@b.example\\nBcc: c@d.example"', /email\[0\]: is "a@b\.example\\nBcc/],
    ['email: [a@b.example, a@b.example]', /email\[1\]: stands there twice/],
    ['email: -odq@b.example', /email\[0\]: is "-odq/],
    ['keep: {dayly: 14}', /keep\.dayly: is no setting; did you mean daily\?; allowed: last, daily, weekly/],
    ['keep: {daily: 0}', /keep: keeps nothing; allowed: a map of last, daily, weekly, monthly and yearly/],
    ['keep: {daily: -1}', /keep\.daily: is the number -1; allowed: a whole number from 0 to 10000/],
    ['keep: 14', /keep: is the number 14, not a map of settings; allowed: a map of last/],
    ['mail: sometimes', /mail: is "sometimes"; allowed: on_change, every_failure or never/],
    ['mail: { from: x }', /mail: is a map of settings; allowed: on_change/],
    ['mail_partial: "yes"', /mail_partial: is "yes".*allowed: true or false/],
    ['mail_reminder: 30m', /out of range; allowed: a duration from 1h to 7d, or 0 for never/],
  ])('refuses the host setting %s', (written, message) => {
    expect(errorOf(hostFile(written)).message).toMatch(message);
  });

  it.each([
    ['max_running_per_disk: 1', { maxRunningPerDisk: 1 }],
    ['max_running: 7', { maxRunningPerDisk: 7 }],
    ['mail: { transport: sendmail }', { mail: { transport: { kind: 'sendmail' } } }],
    [
      'mail: { transport: smtp://mail.example }',
      { mail: { transport: { kind: 'smtp', host: 'mail.example', port: 25, isTls: false } } },
    ],
    [
      'mail: { transport: "smtps://[2001:db8::1]" }',
      { mail: { transport: { kind: 'smtp', host: '2001:db8::1', port: 465, isTls: true } } },
    ],
    [
      'mail: { transport: smtp://127.0.0.1:2525, user: busy, password_file: /etc/busy/mail }',
      { mail: { user: 'busy', passwordFile: '/etc/busy/mail' } },
    ],
    ['mail: { digest: "07:00", digest_to: root }', { mail: { digest: '07:00', digestTo: ['root'] } }],
  ])('takes %s', (written, expected) => {
    expect(parsed(written)).toMatchObject(expected);
  });

  it.each([
    ['max_running_per_disk: 0', /from 1 to 1000/],
    [
      'mail: { transport: "smtp://busy:geheim@mail.example" }',
      /mail\.transport: is no such transport \(logins go into user/,
    ],
    ['mail: { transport: mail.example }', /mail\.transport: is no such transport/],
    ['mail: { transport: "smtp://mail.example:0" }', /mail\.transport: is no such transport/],
    ['mail: { password: geheim }', /mail\.password: is no setting/],
    ['mail: { digest: "7" }', /mail\.digest: is "7"; allowed: a time of day/],
    ['mail: { digest_to: ["a b"] }', /mail\.digest_to\[0\]: is "a b"; allowed: one mail address/],
    ['digest: "07:00"', /digest: is in the wrong place: it belongs below mail/],
    ['mail: on_change', /mail: is "on_change", not a map of settings/],
  ])('refuses %s', (written, message) => {
    const text = errorOf(written).message;
    expect(text).toMatch(message);
    expect(text).not.toMatch(/geheim/);
  });
});
