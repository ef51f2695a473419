import { lookup } from 'node:dns/promises';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NameLookup } from '../../src/execute/name-lookup.js';
import { isAlive, until } from '../helpers/test-bed.js';

describe('the lookup of names by the system', () => {
  const path = process.env.PATH ?? '';
  let directory: string;
  let names: NameLookup;
  const calls = async (): Promise<string[]> =>
    (await readFile(join(directory, 'calls'), 'utf8').catch(() => '')).trim().split('\n').filter(Boolean);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'busy-names-'));
    names = new NameLookup();
  });
  afterEach(async () => {
    names.close();
    process.env.PATH = path;
    await rm(directory, { recursive: true });
  });

  /** A resolver that answers nothing for names that begin with "hangs", and else is the one of the system. */
  async function hangingSystem(): Promise<void> {
    const file = join(directory, 'getent');
    await writeFile(
      file,
      `#!/bin/sh\necho "$$ $3" >> '${directory}/calls'\ncase $3 in hangs*) exec sleep 1000;; esac\nPATH='${path}' exec getent "$@"\n`,
    );
    await chmod(file, 0o755);
    process.env.PATH = `${directory}:${path}`;
  }

  test('answers what /etc/hosts says', async () => {
    const expected = (await lookup('localhost', { all: true })).map(({ address }) => address);
    expect((await names.addressesOf('localhost')).toSorted()).toEqual(expected.toSorted());
  });

  test('answers an address as it is, without any process', async () => {
    await hangingSystem();
    expect(await names.addressesOf('192.0.2.10')).toEqual(['192.0.2.10']);
    expect(await names.addressesOf('2001:db8::1')).toEqual(['2001:db8::1']);
    expect(await calls()).toEqual([]);
  });

  test('answers nothing for a name that nobody has, and takes no name for an option', async () => {
    expect(await names.addressesOf('no-such-host.invalid')).toEqual([]);
    expect(await names.addressesOf('--help')).toEqual([]);
  });

  test('works without the program getent', async () => {
    await mkdir(join(directory, 'empty'));
    process.env.PATH = join(directory, 'empty');
    expect(await names.addressesOf('localhost')).toContain('127.0.0.1');
  });

  test('asks for a name once, however many want to know', async () => {
    await hangingSystem();
    const answers = await Promise.all(Array.from({ length: 5 }, () => names.addressesOf('localhost')));
    expect(new Set(answers).size).toBe(1);
    await names.addressesOf('localhost');
    expect(await calls()).toHaveLength(1);
  });

  test('is held up by no name that hangs, however many there are, and leaves no process', async () => {
    await hangingSystem();
    const hanging = Array.from({ length: 20 }, (_, index) => names.addressesOf(`hangs-${index}`));
    expect(await names.addressesOf('localhost')).toContain('127.0.0.1');
    await until(async () => (await calls()).length === 21, 'all to be asked for');
    names.close();
    expect(await Promise.all(hanging)).toEqual(hanging.map(() => []));
    const pids = (await calls()).map((call) => Number(call.split(' ')[0]));
    await until(() => !pids.some(isAlive), 'the lookups to end');
  });
});
