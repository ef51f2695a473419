import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TrashKind, type TrashEntry } from '../../../src/gen/busy/v1/trash_service.js';
import { refusal, startFakeDaemon, type FakeDaemon } from './fake-daemon.js';
import { cli, type CliOptions, type Result } from './harness.js';

const name = '2026-11-22_20-00-05f';
const word = `web1/${name}`;
const entry: TrashEntry = {
  id: '01KB0000000000000000000000',
  kind: TrashKind.SNAPSHOT,
  host: 'web1',
  snapshot: name,
  putAt: new Date(Date.now() - 3 * 3_600_000),
  putBy: 'ann',
  goesAt: new Date(2026, 10, 29, 20, 0, 5),
  path: '/srv/backup/web1/.trash',
};

let daemon: FakeDaemon;
let asked: unknown[];
let entries: TrashEntry[];

beforeEach(async () => {
  asked = [];
  entries = [entry];
  daemon = await startFakeDaemon({
    deleteSnapshot: ({ request }, answer) => {
      asked.push(request);
      if (request.confirm === word) answer(null, { entry });
      else
        answer(refusal(status.FAILED_PRECONDITION, 'CONFIRMATION_NEEDED', 'It is the newest.', 'Repeat it.'));
    },
    listTrash: (_, answer) => answer(null, { entries, nextPageToken: '' }),
    restoreFromTrash: ({ request }, answer) => {
      asked.push(request);
      answer(null, { entry });
    },
    emptyTrash: ({ request }, answer) => {
      asked.push(request);
      answer(null, { entries });
    },
  });
});
afterEach(() => daemon.close());

function ask(): never {
  throw new Error('nobody is to be asked');
}

function busy(argv: string[], io: CliOptions['io'] = {}): Promise<Result> {
  return cli(argv, { endpoint: daemon.endpoint, io });
}

describe('delete', () => {
  test('does nothing without --yes, and for what is no snapshot', async () => {
    expect(await busy(['delete', word])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--yes'),
    });
    for (const wrong of ['web1', 'web1/', `a/${word}`])
      expect((await busy(['delete', wrong, '--yes'])).stderr).toContain('is not a snapshot as HOST/SNAPSHOT');
    expect(asked).toEqual([]);
  });

  test('asks on a terminal for the name that the daemon wants repeated', async () => {
    const questions: string[] = [];
    const type = async (question: string): Promise<string> => {
      questions.push(question);
      return word;
    };
    const { exitCode, stdout, stderr } = await busy(['delete', word, '--yes'], { ask: type });
    expect(stderr).toBe('busy: It is the newest.\n');
    expect(stdout).toContain(`Snapshot ${name} of web1 is in the trash until 2026-11-29 20:00:05.`);
    expect(exitCode).toBe(0);
    expect(questions).toHaveLength(1);
    expect(asked).toMatchObject([{ confirm: '' }, { confirm: word }]);
  });

  test('does not ask where there is no terminal, for JSON, or after --confirm', async () => {
    const refused = { exitCode: 1, stderr: expect.stringContaining('CONFIRMATION_NEEDED') };
    expect(await busy(['delete', word, '--yes'])).toMatchObject(refused);
    expect(await busy(['--json', 'delete', word, '--yes'], { ask })).toMatchObject(refused);
    expect(await busy(['delete', word, '--confirm', 'x'], { ask })).toMatchObject(refused);
    expect((await busy(['delete', word, '--confirm', word], { ask })).exitCode).toBe(0);
  });
});

describe('trash', () => {
  test('lists what is there, since when, by whom, and when it goes', async () => {
    const { stdout } = await busy(['trash']);
    expect(stdout).toMatch(/^WHAT +KIND +DELETED +BY +GOES +ID\n/);
    expect(stdout).toMatch(new RegExp(`${word} +snapshot +3 h ago +ann +2026-11-29 20:00:05 +${entry.id}\n`));
    entries = [];
    expect((await busy(['trash', 'list'])).stdout).toBe('The trash is empty.\n');
    expect(JSON.parse((await busy(['trash', '--json'])).stdout)).toEqual({});
  });

  test('restores by name or by id', async () => {
    expect((await busy(['trash', 'restore', word])).stdout).toBe(`${word} is back.\n`);
    await busy(['trash', 'restore', entry.id]);
    expect(asked).toEqual([{ id: entry.id }, { id: entry.id }]);
    expect((await busy(['trash', 'restore', 'web1'])).stderr).toContain('There is no "web1" in the trash');
    const host = { ...entry, kind: TrashKind.HOST, snapshot: '' };
    entries = [host, { ...host, id: '01KB0000000000000000000001' }];
    expect((await busy(['trash', 'restore', 'web1'])).stderr).toContain('more than once: 01KB');
  });

  test('is emptied with a confirmation', async () => {
    expect((await busy(['trash', 'empty'])).exitCode).toBe(2);
    expect((await busy(['trash', 'empty', word, '--confirm', word])).stdout).toBe(
      `${word} is gone for good.\n`,
    );
    await busy(['trash', 'empty', '--confirm', 'all']);
    expect(asked).toEqual([
      { id: entry.id, confirm: word },
      { id: '', confirm: 'all' },
    ]);
  });
});
