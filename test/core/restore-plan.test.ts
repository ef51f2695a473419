import { describe, expect, test } from 'vitest';
import { BusyError } from '../../src/core/errors.js';
import { landing, mirrorRefusal, planRestore, protectRules } from '../../src/core/restore-plan.js';
import type { RestoreTarget, RestoreWish } from '../../src/core/restore.js';

const top = { sources: ['/etc', '/home/ann', '/home/ann/big'], names: ['etc', 'home'] };
const original: RestoreTarget = { kind: 'original' };
const local: RestoreTarget = { kind: 'local', directory: '/srv/r' };

function wish(paths: string[], target: RestoreTarget): RestoreWish {
  return { paths, target, mode: 'mirror', isDryRun: false };
}

describe('to the original place', () => {
  test.each([
    [['/etc/nginx/a'], ['/etc/nginx/a'], ['/etc', '/etc/nginx']],
    [['/etc'], ['/etc'], []],
    // What lies above the source directories was never copied.
    [['/'], ['/etc', '/home/ann'], []],
    [['/home'], ['/home/ann'], []],
    [['/home/ann/x', '/home/ann'], ['/home/ann'], []],
    [['/etc', '/etc2'], ['/etc', '/etc2'], []],
    [
      ['/home/ann/a/b', '/etc/c'],
      ['/home/ann/a/b', '/etc/c'],
      ['/etc', '/home/ann', '/home/ann/a'],
    ],
  ])('%j', (paths, entries, parents) => {
    expect(planRestore(wish(paths, original), top)).toEqual({ entries, keepsPaths: true, parents });
  });

  test('a source directory / stands for all that is there', () => {
    const all = { sources: ['/'], names: ['etc', 'n\xff'] };
    expect(planRestore(wish(['/'], original), all)).toMatchObject({
      entries: ['/etc', '/n\xff'],
      parents: [],
    });
    expect(planRestore(wish(['/etc/a'], original), all)).toMatchObject({ parents: ['/etc'] });
  });
});

describe('to a directory', () => {
  test('everything lands under its last name', () => {
    const plan = planRestore(wish(['/etc/nginx', '/home/ann/n\xff', '/'], local), top);
    expect(plan.entries).toEqual(['/etc/nginx', '/home/ann/n\xff', '/etc', '/home']);
    expect(plan.entries.map((entry) => landing(entry, plan))).toEqual(['/nginx', '/n\xff', '/etc', '/home']);
  });

  test('two of one name are refused', () => {
    expect(() => planRestore(wish(['/etc/hosts', '/home/ann/hosts'], local), top)).toThrow(BusyError);
  });
});

describe('a mirror does not delete what backups leave out', () => {
  const patterns = ['*.swp', '/cache', '/*/tmp', '/a/**/x'];

  test('at the original place', () => {
    const plan = planRestore(wish(['/etc'], original), top);
    expect(protectRules(plan, ['/etc', '/'], patterns)).toEqual([
      'P *.swp',
      'P /etc/cache',
      'P /cache',
      'P /etc/*/tmp',
      'P /*/tmp',
      'P /etc/a/**/x',
      'P /a/**/x',
    ]);
  });

  test('below a directory', () => {
    const plan = planRestore(wish(['/etc/nginx'], local), top);
    expect(
      protectRules(plan, ['/etc'], ['*.swp', '/nginx/cache', '/other/cache', '/*/tmp', '/a/**/x']),
    ).toEqual(['P *.swp', 'P /nginx/cache', 'P /nginx/tmp', 'P **/x']);
  });
});

describe('a mirror is refused', () => {
  const host = { rsyncOpts: ['-aHAXS'] };
  const good = { outcome: 'SUCCEEDED', heldFor: [], sources: ['/etc'] } as const;
  const held = [{ code: 'SHRUNK', source: '/etc', message: 'it shrank' }] as const;

  test('where it would delete what the snapshot cannot know', () => {
    expect(mirrorRefusal(wish(['/etc/nginx'], original), host, good)).toBeNull();
    expect(mirrorRefusal(wish(['/'], local), host, good)).toContain('never backed up');
    expect(mirrorRefusal(wish(['/home'], original), host, good)).toContain('"/home" is not');
    // Wherever it goes: it may be the original place by another name.
    expect(mirrorRefusal(wish(['/home'], local), host, good)).toContain('"/home" is not');
    expect(mirrorRefusal(wish(['/etc'], local), host, { ...good, outcome: 'PARTIAL' })).toContain('missing');
    expect(mirrorRefusal(wish(['/etc'], { kind: 'local', directory: '/' }), host, good)).toContain('below /');
    expect(mirrorRefusal(wish(['/etc'], original), host, { ...good, outcome: 'PARTIAL' })).toContain(
      'missing',
    );
    expect(mirrorRefusal(wish(['/etc'], original), host, { ...good, heldFor: held })).toContain('held');
    for (const option of ['--filter=- *.tmp', '--max-size=1m', '-aHm', '--safe-links', '--no-D'])
      expect(mirrorRefusal(wish(['/etc'], original), { rsyncOpts: [option] }, good)).toContain(option);
    expect(mirrorRefusal({ ...wish(['/'], original), mode: 'overwrite' }, host, good)).toBeNull();
  });
});
