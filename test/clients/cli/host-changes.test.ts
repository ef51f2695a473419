import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it } from 'vitest';
import { GetHostResponse, Host, HostOrigin } from '../../../src/gen/busy/v1/host_service.js';
import { HostSettings } from '../../../src/gen/busy/v1/host_settings.js';
import { refusal, startFakeDaemon, type Answers, type FakeDaemon } from './fake-daemon.js';
import { cli, type Result } from './harness.js';

const host = { ...Host.create(), name: 'web1', hostKey: 'SHA256:abc' };

let daemon: FakeDaemon | null = null;
afterEach(async () => {
  await daemon?.close();
  daemon = null;
});

async function busy(argv: string[], answers: Answers): Promise<Result> {
  daemon = await startFakeDaemon(answers);
  return cli(argv, { endpoint: daemon.endpoint });
}

describe('host add', () => {
  it('sends the settings', async () => {
    const asked: unknown[] = [];
    const result = await busy(['host', 'add', 'web1', 'srcdirs=/etc', 'max_incr=5'], {
      createHost: ({ request }, answer) => {
        asked.push(request);
        answer(null, { host, etag: 'E1' });
      },
    });
    expect(result).toEqual({ exitCode: 0, stdout: 'Host web1 was added.\n', stderr: '' });
    expect(asked).toMatchObject([
      { name: 'web1', validateOnly: false, settings: { srcdirs: { values: ['/etc'] }, maxIncr: 5 } },
    ]);
  });

  it('says that a host without a pinned key is not backed up yet', async () => {
    const result = await busy(['host', 'add', 'web1'], {
      createHost: (_, answer) => answer(null, { host: { ...host, hostKey: '' }, etag: 'E1' }),
    });
    expect(result.stderr).toContain('busy enroll web1');
  });

  it('only checks with --check, and answers JSON', async () => {
    const result = await busy(['host', 'add', 'web1', '--check', '--json'], {
      createHost: ({ request }, answer) => answer(null, { host, etag: String(request.validateOnly) }),
    });
    expect(JSON.parse(result.stdout)).toMatchObject({ host: { name: 'web1' }, etag: 'true' });
  });

  it('shows the problems of settings one in a line, and lets nobody forge one', async () => {
    const said = 'The settings of host "web1" are refused:\nsrcdirs: is missing\nport: \u001b[2J';
    const result = await busy(['host', 'add', 'web1'], {
      createHost: (_, answer) => answer(refusal(status.INVALID_ARGUMENT, 'HOST_INVALID', said, 'Mend it.')),
    });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toBe(
      'busy: The settings of host "web1" are refused:\n  srcdirs: is missing\n  port: \\x1b[2J\n  Mend it.\n  (HOST_INVALID)\n',
    );
  });

  it('does not call for a setting that does not exist', async () => {
    const result = await busy(['host', 'add', 'web1', 'shedule=22:00'], {});
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('Did you mean schedule?');
  });
});

it('host edit names what is changed and what is removed', async () => {
  const asked: unknown[] = [];
  const result = await busy(['host', 'edit', 'web1', 'max_incr=5', 'excludes='], {
    updateHost: ({ request }, answer) => {
      asked.push(request);
      answer(null, { host, etag: 'E2' });
    },
  });
  expect(result).toEqual({ exitCode: 0, stdout: 'Host web1 was changed.\n', stderr: '' });
  expect(asked).toMatchObject([
    { name: 'web1', updateMask: ['max_incr', 'excludes'], settings: { maxIncr: 5 } },
  ]);
});

it('host remove wants to be sure, and says what stays', async () => {
  const answers: Answers = {
    deleteHost: (_, answer) =>
      answer(null, { snapshotCount: 3, directory: '/srv/backup/web1', trashId: 'T1' }),
  };
  const unsure = await busy(['host', 'remove', 'web1'], {});
  expect(unsure.exitCode).toBe(2);
  expect(unsure.stderr).toContain('busy host remove web1 --yes');
  await daemon?.close();
  const sure = await busy(['host', 'remove', 'web1', '--yes'], answers);
  expect(sure.stdout).toBe(
    'Host web1 was removed. 3 snapshots stay in /srv/backup/web1.\nIt comes back with: busy trash restore web1\n',
  );
});

it('host show is what host alone does, with the own settings of a stored host', async () => {
  const settings = { ...HostSettings.create(), maxIncr: 5, srcdirs: { values: ['/etc'] } };
  const stored = { ...GetHostResponse.create(), host, origin: HostOrigin.DATABASE, settings, etag: 'E1' };
  const alone = await busy(['host', 'web1'], { getHost: (_, answer) => answer(null, stored) });
  expect(alone.stdout).toContain('Its own settings, in the database:\n  srcdirs=/etc\n  max_incr=5\n');
  const endpoint = daemon?.endpoint ?? '';
  expect(await cli(['host', 'show', 'web1'], { endpoint })).toEqual(alone);
  const json = await cli(['host', 'show', 'web1', '--json'], { endpoint });
  expect(JSON.parse(json.stdout)).toMatchObject({
    host: { name: 'web1' },
    origin: 'HOST_ORIGIN_DATABASE',
    settings: { maxIncr: 5 },
    etag: 'E1',
  });
});

describe('reload', () => {
  it('says what is in effect, and what needs a restart', async () => {
    const result = await busy(['reload'], {
      reloadConfig: (_, answer) => answer(null, { hostCount: 3, needsRestart: ['listen', 'log'] }),
    });
    expect(result).toEqual({
      exitCode: 0,
      stdout: 'The configuration was taken over, with 3 hosts.\n',
      stderr: 'busy: these changed settings need a restart of busyd: listen, log\n',
    });
  });

  it('says why a file is refused', async () => {
    const said = 'The configuration /b.yaml is refused:\n/b.yaml:1:1: a\n/b.yaml:2:1: b';
    const result = await busy(['reload'], {
      reloadConfig: (_, answer) =>
        answer(refusal(status.FAILED_PRECONDITION, 'CONFIG_INVALID', said, 'Mend it.')),
    });
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain('refused:\n  /b.yaml:1:1: a\n  /b.yaml:2:1: b\n  Mend it.');
  });
});

it.each(['host', 'host show', 'host add', 'host edit', 'host remove', 'reload'])(
  'the help of %s has examples and exit codes',
  async (command) => {
    const { exitCode, stdout } = await cli([...command.split(' '), '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Examples:\n  busy ');
    expect(stdout).toContain('Exit codes:');
    expect(stdout).toContain('--server <endpoint>');
  },
);
