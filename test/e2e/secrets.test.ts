/**
 * No secret shows anywhere. One daemon has a distinctive one in each place that takes one; it is driven through what
 * goes well and what goes wrong with each, with logs as text and as JSON, and all that it has said or written is searched.
 */
import { chmod, copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/busyd-commands.js';
import { DaemonServiceService } from '../../src/gen/busy/v1/daemon_service.js';
import { RunState } from '../../src/gen/busy/v1/run.js';
import { cli } from '../clients/cli/harness.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { PrivateMariadb } from '../helpers/private-mariadb.js';
import { runCommand } from '../helpers/run-command.js';
import { hasEnded, TestBed, until } from '../helpers/test-bed.js';
import { writeFiles } from '../helpers/tree-listing.js';
import { MailBed, password as mailPassword } from '../notify/mail-bed.js';

const variable = 'BUSY_TEST_PASSWORD';
const mysqlPassword = 'Mysql-geheim-4711';
const mailUser = 'postbote';

/** Secrets by what they are; each is searched for as it is, and as the protocols encode it. */
const secrets = new Map([
  ['password of the database', mysqlPassword],
  ['wrong password of the database', 'Mysql-falsch-4712'],
  ['password of the mail server', mailPassword],
  ['wrong password of the mail server', 'Brief-falsch-4713'],
  ['passphrase', 'Satz-geheim-4714'],
  ['wrong passphrase', 'Satz-falsch-4715'],
]);
const secret = (name: string): string => secrets.get(name) ?? '';

/** Whatever can be read of the daemon, by where. */
const seen = new Map<string, string>();
function note(place: string, text: string): string {
  seen.set(place, `${seen.get(place) ?? ''}${text}\n`);
  return text;
}

let bed: TestBed;
let mariadb: PrivateMariadb;
let mails: MailBed;
let database = '';
const at = (name: string): string => join(bed.directory, name);

beforeAll(async () => {
  [bed, mariadb, mails] = await Promise.all([TestBed.create(), PrivateMariadb.start(), MailBed.open()]);
  const { name, port } = await mariadb.freshDatabase();
  await mariadb.sql(`CREATE USER 'leak'@'%' IDENTIFIED BY '${mysqlPassword}'`);
  await mariadb.sql(`GRANT ALL PRIVILEGES ON ${name}.* TO 'leak'@'%'`);
  database = `127.0.0.1:${port}/${name}`;
  const sshd = await bed.startSshd();
  await writeFiles(at('source'), { file: 400_000 });
  await copyFile(sshd.identityFile, at('locked'));
  await chmod(at('locked'), 0o600);
  const locked = ['-q', '-p', '-P', '', '-N', secret('passphrase'), '-f', at('locked')];
  expect((await runCommand('ssh-keygen', locked)).code).toBe(0);
  for (const [file, text] of [
    ['right', secret('passphrase')],
    ['wrong', secret('wrong passphrase')],
    ['mail', mailPassword],
  ] as const)
    await writeFile(at(file), `${text}\n`, { mode: 0o600 });
  for (const file of [sshd.identityFile, at('locked')]) {
    const lines = (await readFile(file, 'utf8')).split('\n');
    secrets.set(`private key ${file}`, lines[Math.floor(lines.length / 2)] ?? '');
  }
  const mailPort = await mails.listen({ authOptional: false });
  const host = { srcdirs: [at('source')], identity_file: at('locked'), email: 'admin@example.org' };
  settings = {
    listen: [`unix:${bed.socket}`, 'tcp://127.0.0.1:0'],
    database: `mysql://leak@${database}`,
    mysql_password: `\${${variable}}`,
    mail: { transport: `smtp://127.0.0.1:${mailPort}`, user: mailUser, password_file: at('mail') },
  };
  hosts = [
    // So that there is time to look at its processes.
    bed.hostAt(sshd, { name: 'right', ...host, identity_passphrase_file: at('right'), bandwidth_limit: 200 }),
    bed.hostAt(sshd, { name: 'wrong', ...host, identity_passphrase_file: at('wrong') }),
  ];
});
afterAll(async () => {
  await bed.end();
  await mariadb.end();
  await mails.close();
});

let settings: Readonly<Record<string, unknown>>;
let hosts: Parameters<TestBed['configure']>[0];

async function busy(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await cli(['--server', `unix:${bed.socket}`, ...args]);
  return note(`busy ${args.join(' ')}`, stdout + stderr);
}

async function busyd(args: readonly string[], place: string): Promise<number | null> {
  const { code, stdout, stderr } = await bed.busyd(args);
  note(place, stdout + stderr);
  return code;
}

/** What others on this machine can see of the processes that the daemon starts. */
async function lookAtChildren(): Promise<void> {
  for (const pid of await bed.daemonChildren())
    for (const file of ['cmdline', 'environ'])
      note(`${file} of children`, await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => ''));
}

async function backUpRight(): Promise<void> {
  const { id } = await bed.trigger('right');
  const ended = bed.waitForRun(id);
  const stop = new AbortController();
  void ended.then(() => stop.abort());
  while (!stop.signal.aborted) await lookAtChildren();
  const run = await ended;
  expect(run.state, JSON.stringify(run.error)).toBe(RunState.SUCCEEDED);
  expect(hasEnded(run)).toBe(true);
}

async function callWithTokens(): Promise<void> {
  const client = bed.info;
  const { endpoints } = await callMethod(client, DaemonServiceService.getDaemonInfo, {});
  client.close();
  const create = ['token', 'create', '--role', 'viewer', '--json', `viewer-${secrets.size}`];
  const created = await cli(['--server', `unix:${bed.socket}`, ...create]);
  const { token } = JSON.parse(created.stdout) as { token: string };
  secrets.set(`token ${secrets.size}`, token.split('_').slice(2).join('_'));
  const wrong = token.slice(0, 18) + token.slice(18).split('').toReversed().join('');
  secrets.set(`wrong token ${secrets.size}`, wrong.slice(18));
  for (const [shown, code] of [
    [token, 0],
    [wrong, 4],
  ] as const) {
    const args = ['--server', endpoints[1] ?? '', 'hosts'];
    const { exitCode, stdout, stderr } = await cli(args, { io: { env: { BUSY_TOKEN: shown } } });
    expect(exitCode).toBe(code);
    note('a call with a token', stdout + stderr);
  }
}

async function drive(): Promise<void> {
  await backUpRight();
  const mailsBefore = mails.received.length;
  const failed = await bed.backUp('wrong');
  expect(failed.error?.reason).toBe('PASSPHRASE_WRONG');
  note('a failed run', JSON.stringify(failed));
  expect(await busy('mail-test')).toContain('admin@example.org');
  await until(() => mails.received.length > mailsBefore, 'a mail');
  await writeFile(at('mail'), `${secret('wrong password of the mail server')}\n`);
  expect(await busy('mail-test')).toContain('MAIL_FAILED');
  await writeFile(at('mail'), `${mailPassword}\n`);
  await callWithTokens();
  for (const args of [
    ['info'],
    ['hosts'],
    ['host', 'right'],
    ['runs'],
    ['audit'],
    ['token', 'list'],
    ['doctor'],
    ['enroll', 'wrong'],
    ['probe', 'wrong'],
  ])
    await busy(...args, '--json');
  await busy('logs', failed.id);
  await busy('reload');
}

describe('a secret', () => {
  it.each(['text', 'json'])('is used while the log is written as %s', async (format) => {
    await bed.configure(hosts, { ...settings, log: { level: 'debug', format } });
    await bed.startDaemon({ [variable]: mysqlPassword });
    await drive();
    await bed.stopDaemon();
    const log = note(`log as ${format}`, bed.daemonLog());
    expect(log).toContain('a wrong token was shown');
  });

  it('is refused where it is wrong or in the wrong place, with words that do not show it', async () => {
    const wrong = secret('wrong password of the database');
    const literal = { ...settings, database: `mysql://leak:${wrong}@${database}`, mysql_password: undefined };
    await bed.configure(hosts, literal);
    expect(await busyd(['--config', bed.configFile], 'a start with a wrong password')).toBe(1);
    expect(seen.get('a start with a wrong password')).toContain('Correct the user or the password');
    expect(await busyd(['check-config', bed.configFile], 'check-config')).toBe(0);
    expect(seen.get('check-config')).toMatch(
      /# Warning: .*busy\.yaml: it holds a password, and others may read it \(mode 644\)/,
    );

    await bed.configure(hosts, settings);
    expect(await busyd(['--config', bed.configFile], 'a start without the variable')).toBe(1);
    expect(seen.get('a start without the variable')).toContain(`variable ${variable}, which is not set`);
    expect(await busyd(['check-config', bed.configFile], 'check-config with a variable')).toBe(0);
    expect(seen.get('check-config with a variable')).toContain(`mysql_password: \${${variable}}`);

    for (const [index, bad] of [
      { database: `mysql://leak:${wrong}@${database}/x` },
      { database: `mysql://leak:${wrong}@` },
      { database: `postgres://leak:${wrong}@${database}` },
      { mysql_password: [wrong] },
      { mysql_passwort: wrong },
      { database: `mysql://leak:${wrong}@${database}`, mysql_password: wrong },
      { mail: { password: wrong } },
    ].entries()) {
      await bed.configure(hosts, { ...settings, ...bad });
      const refused = await checkConfig(bed.configFile, false).then(() => null, String);
      expect(note(`bad config ${index}`, String(refused))).toContain('; allowed: ');
    }
  });

  it('shows nowhere', async () => {
    for (const { message } of mails.received) note('mails', message);
    for (const directory of [at('state'), bed.backupdir]) {
      for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }))
        if (entry.isFile())
          note(`files in ${directory}`, await readFile(join(entry.parentPath, entry.name), 'latin1'));
    }
    const [name = ''] = database.split('/').slice(-1);
    const tables = await mariadb.sql(
      `SELECT table_name FROM information_schema.tables WHERE table_schema = '${name}'`,
    );
    for (const table of tables.trim().split('\n'))
      note('the database', await mariadb.sql(`SELECT * FROM ${name}.${table}`));
    for (const [place, part] of [
      ['mails', 'PASSPHRASE_WRONG'],
      ['cmdline of children', 'rsync'],
      ['environ of children', 'PATH='],
      ['the database', 'PASSPHRASE_WRONG'],
      [`files in ${at('state')}`, '"call":"CreateToken"'],
      [`files in ${bed.backupdir}`, 'snapshot'],
    ] as const)
      expect(seen.get(place), place).toContain(part);

    expect(seen.get('environ of children')).not.toContain(variable);
    const leaks = [...seen].flatMap(([place, text]) =>
      [...secrets]
        .filter(([, value]) => value === '' || formsOf(value).some((form) => text.includes(form)))
        .map(([what]) => `${what} in ${place}`),
    );
    expect(leaks).toEqual([]);
  });
});

function formsOf(value: string): string[] {
  const login = Buffer.from(`\0${mailUser}\0${value}`).toString('base64');
  return [value, encodeURIComponent(value), Buffer.from(value).toString('base64'), login];
}
