import { expect, it } from 'vitest';
import { ArchiveDisks } from '../../src/execute/archive-disks.js';

const short = { answerMs: 20, lookMs: 20 };
const nothing = (): void => {};
const never = (): Promise<never> => new Promise(() => {});

it('a disk that hangs is asked once, whoever waits for it, and again when it has answered', async () => {
  let asked = 0;
  let answer = nothing;
  const disks = new ArchiveDisks(() => {
    asked += 1;
    return new Promise<void>((resolve) => (answer = resolve));
  }, short);
  const look = (): Promise<string> => disks.look('/archives', async () => 'seen');
  const late = { reason: 'ARCHIVEDIR_UNUSABLE', facts: { archivedir: '/archives' } };
  await expect(look()).rejects.toMatchObject(late);
  await expect(look()).rejects.toMatchObject(late);
  expect(asked).toBe(1);
  const waiting = look();
  answer();
  expect(await waiting).toBe('seen');
  const again = look();
  expect(asked).toBe(2);
  answer();
  expect(await again).toBe('seen');
});

it('a look that hangs ends too; one that fails says why', async () => {
  const disks = new ArchiveDisks(async () => {}, short);
  await expect(disks.look('/archives', never)).rejects.toMatchObject({ reason: 'ARCHIVEDIR_UNUSABLE' });
  await expect(disks.look('/archives', () => Promise.reject(new Error('why')))).rejects.toThrow('why');
  // That the directory cannot be read is for the look to say.
  const missing = new ArchiveDisks(() => Promise.reject(new Error('ENOENT')), short);
  expect(await missing.look('/archives', async () => 'seen')).toBe('seen');
});
